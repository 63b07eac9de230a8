"""Bring two profile sets to the same targets, on purpose."""

from __future__ import annotations

from drugsig._check import choose, listed
from drugsig.errors import TargetMismatchError
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["align_targets"]

KEEP = ("shared", "first")


def align_targets(a: ProfileSet, b: ProfileSet, /, *, keep: str) -> tuple[ProfileSet, ProfileSet]:
    """Return both sets with the same targets in the same order.

    Parameters
    ----------
    a, b : ProfileSet
        Sets that measure partly the same targets. They should not be pretreated yet: what was
        divided by a sum over more targets does not become comparable by leaving targets out.
    keep : {"shared", "first"}
        ``"shared"`` keeps the targets that both have, in the order of `a`. ``"first"`` keeps all
        targets of `a` and needs `b` to have them all.

    Returns
    -------
    a, b : ProfileSet
        The dropped targets are named in the history of each.

    Raises
    ------
    TargetMismatchError
        If no target is shared, `b` lacks a target that is to be kept, a target has another role
        or unit in the two sets, or a set is pretreated and would lose a target.
    """
    choose(keep, KEEP, what="value of keep")
    in_a, in_b = {t.name: t for t in a.targets}, {t.name: t for t in b.targets}
    only_a = [n for n in in_a if n not in in_b]
    only_b = [n for n in in_b if n not in in_a]
    shared = [n for n in in_a if n in in_b]
    if not shared or (keep == "first" and only_a):
        raise TargetMismatchError(
            f"profile sets '{a.name}' and '{b.name}' cannot be aligned with keep='{keep}': "
            + (f"'{b.name}' lacks {listed(only_a)}" if shared else "they share no target")
            + ". Extract both with the same protocol"
            + (", or keep the shared targets: keep='shared'." if shared else "."),
            only_in_a=only_a,
            only_in_b=only_b,
        )
    other = [n for n in shared if in_a[n] != in_b[n]]
    if other:
        first = other[0]
        raise TargetMismatchError(
            f"{listed(other)} does not mean the same in '{a.name}' and '{b.name}': '{first}' is "
            f"{in_a[first].role} in {in_a[first].unit} and {in_b[first].role} in "
            f"{in_b[first].unit}. Set the roles with profiles.with_roles(...) first."
        )
    for one, dropped in ((a, only_a), (b, only_b)):
        if dropped and one.pretreatment:
            raise TargetMismatchError(
                f"'{one.name}' is already pretreated, so leaving out {listed(dropped)} would not "
                "make it comparable. Align the sets first, then pretreat both with one recipe.",
                only_in_a=only_a,
                only_in_b=only_b,
            )
    return _keep(a, shared, only_a, b.name), _keep(b, shared, only_b, a.name)


def _keep(one: ProfileSet, names: list[str], dropped: list[str], other: str) -> ProfileSet:
    if list(one.target_names) == names:
        return one
    kept = one.keep_targets(names)
    note = Step.make("align_targets", {"with": other, "dropped": dropped})
    return kept._replace(step=note)  # the same package: ProfileSet hands out new sets only

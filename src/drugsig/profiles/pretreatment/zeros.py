"""Multiplicative replacement: what stands in for values below their limit in log-ratios.

After J. A. Martin-Fernandez, C. Barcelo-Vidal, V. Pawlowsky-Glahn, Mathematical Geology 35
(2003) 253-278: a censored part becomes a small value, and the detected parts are scaled so that
the whole keeps its sum. Ratios between detected parts do not change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from drugsig._check import listed, share
from drugsig._notes import Note
from drugsig.errors import DrugsigWarning, ImputationWarning, RecipeError
from drugsig.profiles.pretreatment.block import Block

__all__ = [
    "MUCH_IMPUTED",
    "ZERO_RULES",
    "MuchImputed",
    "imputed_share",
    "learn_smallest",
    "much_imputed",
    "replaced",
]

ZERO_RULES = ("refuse", "multiplicative")

# Above this share of imputed targets a profile says more about the rule than about the specimen.
MUCH_IMPUTED = 0.20


@dataclass(frozen=True)
class MuchImputed(Note):
    """A log-ratio step replaced many of the targets of some profiles.

    Look at the ratios of these profiles again with targets that are detected more often.
    """

    code: ClassVar[str] = "much-imputed"
    category: ClassVar[type[DrugsigWarning]] = ImputationWarning
    step: str
    profiles: tuple[str, ...]
    n_profiles: int
    worst: str
    worst_share: float
    share: float = MUCH_IMPUTED

    def __str__(self) -> str:
        return (
            f"step '{self.step}' replaced more than {self.share:.0%} of the targets in "
            f"{len(self.profiles)} of {self.n_profiles} profiles, most in '{self.worst}' "
            f"({self.worst_share:.0%}): {listed(self.profiles)}. Their ratios rest on the "
            "replacement rule."
        )


def learn_smallest(block: Block) -> list[float | None]:
    """Return the smallest detected value of every target; None where it was never detected."""
    out: list[float | None] = []
    for k in range(len(block.targets)):
        seen = block.values[block.usable[:, k] & ~block.censored[:, k], k]
        seen = seen[seen > 0]
        out.append(float(seen.min()) if len(seen) else None)
    return out


def imputed_share(block: Block) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the share of targets below a limit in every profile, shape (n_profiles,)."""
    return np.asarray(block.censored.mean(axis=1))


def much_imputed(block: Block, step: str) -> tuple[MuchImputed, ...]:
    """Return the note on profiles with more than 20 % of their targets below a limit, if any."""
    shares = imputed_share(block)
    much = np.flatnonzero(shares > MUCH_IMPUTED)
    if not len(much):
        return ()
    worst = int(much[np.argmax(shares[much])])
    return (
        MuchImputed(
            step=step,
            profiles=tuple(block.ids[k] for k in much),
            n_profiles=len(block.ids),
            worst=block.ids[worst],
            worst_share=float(shares[worst]),
        ),
    )


def replaced(
    block: Block,
    step: str,
    parameters: Mapping[str, Any],
    smallest: Sequence[float | None],
) -> Block:
    """Return the block with every censored value replaced, the others scaled down to pay for it.

    Raises
    ------
    RecipeError
        If a censored target has neither a limit nor a detected value to go by, or the
        replacements would take up the whole profile.
    """
    fraction = share(parameters["fraction"], what=f"fraction of step '{step}'")
    of_smallest = share(parameters["share"], what=f"share of step '{step}'")
    censored = block.censored
    if not censored.any():
        return block
    known = np.array([np.nan if x is None else x for x in smallest], dtype=np.float64)
    filled = np.where(block.limits > 0, fraction * block.limits, of_smallest * known[None, :])
    unknown = censored & ~(filled > 0)
    if unknown.any():
        names = [block.names[k] for k in np.flatnonzero(unknown.any(axis=0))]
        raise RecipeError(
            f"step '{step}' cannot replace values of {listed(names)}: no limit is known and the "
            "target was never detected in the profiles the step learned from. Leave these targets "
            "out with keep_detected(...) or drop_targets(...) before it."
        )
    added = np.where(censored, filled, 0.0)
    detected = np.where(censored, 0.0, block.values)
    whole = detected.sum(axis=1)
    rest = 1.0 - added.sum(axis=1) / whole
    if not (rest > 0).all():
        names = [block.ids[k] for k in np.flatnonzero(~(rest > 0))]
        raise RecipeError(
            f"step '{step}' would put more into {len(names)} profile(s) than was detected in them: "
            f"{listed(names)}. Leave them out, or keep targets that are detected more often."
        )
    return replace(
        block,
        values=np.where(censored, added, detected * rest[:, None]),
        uncertainty=np.where(censored, np.nan, block.uncertainty * rest[:, None]),
        limits=block.limits * rest[:, None],
    )

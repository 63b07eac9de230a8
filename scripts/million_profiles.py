"""Group a million simulated profiles below a threshold, check the groups, and refuse a percolation.

``python scripts/million_profiles.py`` draws 1,000,000 profiles of 30 targets, finds their links,
groups them by average linkage below the threshold, and compares some hundred groups with scipy's
tree of their component. Then it draws profiles along a continuum, whose links join nearly all of
them, and shows that their grouping is refused and where they break up. It prints how long every
step took and the most memory used so far. ``--profiles 20000`` does the same in a few seconds.

The exit code is 1 if a group differs from scipy's or if the percolation is not refused.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sys
import time
import warnings
from collections.abc import Callable
from math import comb
from typing import TypeVar

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

import drugsig
from drugsig.comparison import Links, compare
from drugsig.comparison.linking import links
from drugsig.datasets.values import simulate_values
from drugsig.errors import ChainingWarning, ComponentSizeError
from drugsig.groups import Groups, group_links

METRIC = "pearson"
COMPONENTS_CHECKED = 300
LARGEST_CHECKED = 400

# Along a continuum: so many profiles, of which so many are allowed in a component.
CONTINUUM = 10_000
STEP = 0.05
ALLOWED = 300

T = TypeVar("T")


def peak_memory() -> float:
    """Return the most memory this process has used, in bytes; NaN where it is not known."""
    if sys.platform == "win32":
        if importlib.util.find_spec("psutil") is None:
            return float("nan")
        import psutil

        return float(psutil.Process().memory_info().peak_wset)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def say(text: str) -> None:
    """Write one line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def timed(what: str, work: Callable[[], T]) -> tuple[T, float]:
    """Do the work, say how long it took and the most memory so far; return its result too."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    say(f"{what:<44}{seconds:8.1f} s{peak_memory() / 1e9:8.2f} GB")
    return result, seconds


def made_profiles(n: int, seed: int, **options: object) -> drugsig.ProfileSet:
    """Return simulated profiles, sum-normalised and their fourth root taken.

    In place: as two profile sets, before and after, a million profiles take twice the memory.
    """
    made = simulate_values(rng=np.random.default_rng(seed), n_profiles=n, **options)  # type: ignore[arg-type]
    values = made.values.copy()
    del made
    values /= values.sum(axis=1, keepdims=True)
    np.sqrt(values, out=values)
    np.sqrt(values, out=values)
    names = [f"P{k:07d}" for k in range(n)]
    return drugsig.ProfileSet(values, [f"T{k:02d}" for k in range(values.shape[1])], names)


def links_at(profiles: drugsig.ProfileSet, threshold: float) -> Links:
    """Return the links of the profiles with each other."""
    return links(profiles, metric=METRIC, threshold=threshold)


def differing(
    profiles: drugsig.ProfileSet,
    found: Links,
    groups: Groups,
    method: str,
    seed: int,
    checked: int,
) -> tuple[int, int]:
    """Return how many components were compared with scipy's tree, and how many differ."""
    components = found.components
    sizes = np.bincount(components)
    fit = np.flatnonzero((sizes > 2) & (sizes <= LARGEST_CHECKED))
    rng = np.random.default_rng(seed)
    chosen = rng.choice(fit, size=min(checked, len(fit)), replace=False)
    order = np.argsort(components, kind="stable")
    stops = np.cumsum(sizes)
    cut = float(found.metric.as_distance(np.asarray(found.threshold)))
    wrong = 0
    for component in chosen:
        # The ids of these profiles are in text order, in which ties are broken.
        rows = np.sort(order[stops[component] - sizes[component] : stops[component]])
        scores = compare(profiles.select(rows), metric=METRIC).condensed()
        tree = linkage(found.metric.as_distance(scores), method)  # type: ignore[arg-type]
        theirs = fcluster(tree, cut, criterion="distance")
        pairs = {*zip(theirs.tolist(), groups.labels[rows].tolist(), strict=True)}
        same = len(pairs) == len(set(theirs.tolist())) == len(set(groups.labels[rows].tolist()))
        wrong += not same
    return len(chosen), wrong


def group_a_million(n: int, threshold: float, method: str, seed: int, checked: int) -> bool:
    """Simulate, find links, group and check; return whether all went well."""
    profiles, _ = timed(f"{n:,} x 30 profiles", lambda: made_profiles(n, seed))
    found, searched = timed("links", lambda: links_at(profiles, threshold))
    say(f"  {found!r}")
    components, walked = timed("components", lambda: found.components)
    sizes = np.bincount(components)
    say(f"  {len(sizes):,} components, the largest of {int(sizes.max()):,} profiles")
    groups, grouped = timed(
        f"{method} linkage below the cut",
        lambda: group_links(found, profiles, linkage=method),
    )
    say(f"  {groups!r}")
    (checked, wrong), _ = timed(
        "check against scipy", lambda: differing(profiles, found, groups, method, seed, checked)
    )
    say(f"  {checked:,} components compared with scipy, {wrong} differ")
    say(f"grouping, links included: {searched + walked + grouped:.1f} s")
    return wrong == 0


def refuse_a_percolation(n: int, threshold: float, method: str, seed: int) -> bool:
    """Group profiles of a continuum with little memory; return whether that is refused."""
    profiles = made_profiles(n, seed, between="continuum", step=STEP)
    found, _ = timed(
        f"links of {n:,} profiles of a continuum", lambda: links_at(profiles, threshold)
    )
    memory = 16 * comb(ALLOWED, 2)
    try:
        group_links(found, profiles, linkage=method, memory=memory)
    except ComponentSizeError as error:
        say(f"  refused: {error}")
        if error.threshold is None:
            return False
        limit = error.threshold
    else:
        say("  the percolation was not refused")
        return False
    groups, _ = timed(
        "the same where it breaks up",
        lambda: group_links(found, profiles, linkage=method, memory=memory, threshold=limit),
    )
    say(f"  {groups!r}")
    return groups.largest_component <= ALLOWED


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--profiles", type=int, default=1_000_000, help="how many (1,000,000)")
    parser.add_argument("--threshold", type=float, default=0.99, help="correlation (0.99)")
    parser.add_argument("--linkage", default="average", help="average, complete, single, weighted")
    parser.add_argument("--seed", type=int, default=20, help="of the simulation (20)")
    parser.add_argument(
        "--check",
        type=int,
        default=COMPONENTS_CHECKED,
        help=f"components to compare with scipy ({COMPONENTS_CHECKED}; a million takes minutes)",
    )
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", ChainingWarning)
    say(f"drugsig {drugsig.__version__}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, {platform.machine()}")  # fmt: skip
    say(f"{'step':<44}{'time':>10}{'most memory':>14}")
    well = group_a_million(
        options.profiles, options.threshold, options.linkage, options.seed, options.check
    )
    n = min(CONTINUUM, options.profiles)
    # Single linkage has the components for its groups, and nothing to refuse.
    method = "average" if options.linkage == "single" else options.linkage
    return 0 if refuse_a_percolation(n, options.threshold, method, options.seed) and well else 1


if __name__ == "__main__":
    sys.exit(main())

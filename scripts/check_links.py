"""Check that `drugsig.links` finds every link and no other, against every pair by the definition.

For every metric, two kinds of data and several seeds, profiles with split copies, zeros and ties
are compared in full, block by block; the links at three thresholds must be the same pairs with the
same scores, to the last bit. With the first seed also for another order of profiles, other leaves,
one worker, and by every method.

Run it with ``python scripts/check_links.py --kernels``; it takes an hour at the full size, so
``--profiles``, ``--seeds`` and ``--metrics`` make it smaller. The suite runs the same check on
small sets. Without ``--kernels`` the forms of one metric (similarity, distances) are checked each.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from drugsig import ProfileSet
from drugsig.comparison import METRICS, Metric, compare, fit_metric, get_metric, links
from drugsig.comparison.link_search import LinkSearch
from drugsig.comparison.search.pair_finder import METHODS
from drugsig.datasets import simulate_values
from drugsig.errors import DrugsigWarning
from tests.comparison.oracles import usable

# Shares of pairs that become links: few, some and, against pruning, many.
SHARES = (1e-6, 1e-4, 3e-3)

ROWS_AT_A_TIME = 1000


def made(n: int, between: str, seed: int) -> ProfileSet:
    """Return profiles with copies, an empty one, constant ones and ties among them."""
    rng = np.random.default_rng(seed)
    drawn = simulate_values(rng=rng, n_profiles=n, between=between)
    values = drawn.values.copy()
    values /= values.sum(axis=1, keepdims=True)
    values **= 0.25
    positions = rng.permutation(n)[:60]
    values[positions[:20]] = values[positions[20:40]]
    values[positions[20:25]] = values[positions[20]]
    values[positions[40:42]] = 0.0
    values[positions[42:44]] = 0.25
    values[positions[44:60]] = np.round(values[positions[44:60]], 1)
    p = values.shape[1]
    table = {
        "profile_id": [f"p{k:06d}" for k in range(n)],
        "source": [f"s{k}" for k in drawn.sources],
    }
    return ProfileSet(values, [f"t{k}" for k in range(p)], table)


def fitted(name: str, profiles: ProfileSet) -> Metric:
    """Return the metric, fitted on the sources of the profiles if it needs to be."""
    if METRICS[name].needs_fit and name != "combined":
        return fit_metric(name, profiles, source="source")
    return usable(name, len(profiles.targets))


def every_score(
    profiles: ProfileSet, metric: Metric
) -> Iterator[tuple[int, np.ndarray, np.ndarray | None]]:
    """Yield the scores of some profiles with all later ones, by the definition, and their sizes."""
    n = len(profiles)
    for first in range(0, n, ROWS_AT_A_TIME):
        last = min(first + ROWS_AT_A_TIME, n)
        rest = profiles.select(np.arange(first, n))
        comparison = compare(
            profiles.select(np.arange(first, last)), rest, metric=metric, memory=1e11
        )
        scores = comparison.scores.copy()
        # A pair once, and no profile with itself.
        scores[np.tril_indices(last - first)] = np.nan
        yield first, scores, comparison.sizes(*np.indices(scores.shape, sparse=True))


def in_full(
    profiles: ProfileSet, metric: Metric, thresholds: list[float]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return rows, columns and scores of the links at every threshold."""
    found: list[list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = [[] for _ in thresholds]
    for first, scores, sizes in every_score(profiles, metric):
        for parts, threshold in zip(found, thresholds, strict=True):
            rows, columns = np.nonzero(metric.meets(scores, threshold, sizes))
            parts.append((rows + first, columns + first, scores[rows, columns]))
    return [
        tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore[misc]
        for parts in found
    ]


def some_thresholds(profiles: ProfileSet, metric: Metric, seed: int) -> list[float]:
    """Return scores that occur, so that pairs lie on the threshold itself."""
    some = np.random.default_rng(seed).permutation(len(profiles))[:3000]
    scores = compare(profiles.select(np.sort(some)), metric=metric, memory=1e11).condensed()
    scores = np.sort(scores[~np.isnan(scores)])
    if metric.is_similarity:
        scores = scores[::-1]
    return [float(scores[int(share * len(scores))]) for share in SHARES]


def by_position(rows, columns, scores):
    order = np.lexsort((columns, rows))
    return rows[order], columns[order], scores[order]


def same(ours, theirs) -> bool:
    return all(
        np.array_equal(a, b) for a, b in zip(by_position(*ours), by_position(*theirs), strict=True)
    )


def check(profiles: ProfileSet, metric: Metric, seed: int, *, ways: bool) -> tuple[bool, str]:
    """Compare the links of a metric with the links in full; return whether and how it went."""
    thresholds = some_thresholds(profiles, metric, seed)
    began = time.perf_counter()
    wanted = in_full(profiles, metric, thresholds)
    full_s = time.perf_counter() - began
    shuffled = np.random.default_rng(seed + 1).permutation(len(profiles))
    good, counts, took = True, [], []
    for number, (threshold, expected) in enumerate(zip(thresholds, wanted, strict=True)):
        began = time.perf_counter()
        found = links(profiles, metric=metric, threshold=threshold, memory=1e10)
        took.append(time.perf_counter() - began)
        counts.append(len(found))
        good &= same((found.rows, found.columns, found.scores), expected)
        if ways and number < 2:
            other = links(
                profiles.select(shuffled),
                metric=metric,
                threshold=threshold,
                workers=1,
                memory=1e10,
            )
            ends = shuffled[other.rows], shuffled[other.columns]
            good &= same((np.minimum(*ends), np.maximum(*ends), other.scores), expected)
            # Without a space there is one method only.
            for method in METHODS[1:] if metric.kernel.space is not None else ():
                search = LinkSearch.of(
                    profiles, None, metric=metric, threshold=threshold, method=method, leaf=100
                )
                parts = [search.expanded(search.run(k)) for k in range(search.n_tasks)]
                parts.append(search.among_duplicates())
                ours = tuple(
                    np.concatenate([getattr(part, name) for part in parts])
                    for name in ("rows", "columns", "scores")
                )
                good &= same(ours, expected)
    seconds = " ".join(f"{s:.2f}" for s in took)
    return good, f"links {counts}, {seconds} s; every pair {full_s:.1f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--metrics", nargs="*", help="names; all by default")
    parser.add_argument("--kernels", action="store_true", help="one metric a formula")
    parser.add_argument("--one-way", action="store_true", help="no other orders or methods")
    options = parser.parse_args()
    warnings.simplefilter("ignore", DrugsigWarning)
    names = options.metrics or list(METRICS)
    if options.kernels:
        first: dict[object, str] = {}
        for name in names:
            first.setdefault(get_metric(name).kernel, name)
        names = list(first.values())
    failures = checks = 0
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for between in ("factor", "iid"):
            profiles = made(options.profiles, between, seed)
            for name in names:
                metric = fitted(name, profiles)
                data = profiles
                if name.startswith("aitchison"):
                    # Logarithms need values above zero.
                    data = ProfileSet(
                        profiles.values + 0.01, list(profiles.targets), profiles.profiles
                    )
                ways = seed == options.first_seed and not options.one_way
                good, told = check(data, metric, seed, ways=ways)
                checks += 1
                failures += not good
                print(
                    f"{'same' if good else 'DIFFERENT'}: {name}, {between}, seed {seed}: {told}",
                    flush=True,
                )
    print(f"{checks} checks, {failures} different")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())

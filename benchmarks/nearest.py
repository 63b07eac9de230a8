"""The k nearest profiles and the links of one, side by side with faiss.

Run it with ``python benchmarks/nearest.py``; ``--quick`` takes less data. Contenders are timed in
turn, A B A B ..., on one thread each, so that a machine whose speed drifts slows both; the ratios
are what to quote. Without faiss (package ``faiss-cpu``) its column stays empty.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from drugsig import ProfileSet, compare
from drugsig.comparison.index import ProfileIndex, build_index
from drugsig.comparison.nearest_search import nearest
from drugsig.comparison.search import query_tree
from drugsig.datasets.values import simulate_values

K = 20
TARGETS = 30
METRIC = "pearson"
CHECKED = 10

Row = dict[str, Any]


def made_profiles(n: int, kind: str, seed: int) -> np.ndarray:
    """Return n profiles in any order, sum-normalised, fourth root."""
    values = simulate_values(
        rng=np.random.default_rng(seed), n_profiles=n, n_targets=TARGETS, between=kind
    ).values
    values = (values / values.sum(axis=1, keepdims=True)) ** 0.25
    return values[np.random.default_rng(seed + 1).permutation(n)]


def as_profiles(values: np.ndarray, tag: str) -> ProfileSet:
    return ProfileSet(
        values, [f"T{k:02d}" for k in range(TARGETS)], [f"{tag}{k}" for k in range(len(values))]
    )


def in_turn(contenders: list[Callable[[], object]], runs: int) -> list[list[float]]:
    """Return the seconds of every run of every contender, timed in turn after one run each."""
    seconds: list[list[float]] = [[] for _ in contenders]
    for contender in contenders:
        contender()
    for _ in range(runs):
        for took, contender in zip(seconds, contenders, strict=True):
            start = time.perf_counter()
            contender()
            took.append(time.perf_counter() - start)
    return seconds


@contextmanager
def nothing_compiled() -> Any:
    """Search as where numba is not installed."""
    found = query_tree.compiled_code
    query_tree.compiled_code = lambda: None
    try:
        yield
    finally:
        query_tree.compiled_code = found


def faiss_search(reference: np.ndarray, questioned: np.ndarray) -> Callable[[], object] | None:
    """Return the same search by faiss: inner products of centred unit vectors."""
    if importlib.util.find_spec("faiss") is None:
        return None
    import faiss

    def directions(values: np.ndarray) -> np.ndarray:
        centred = values - values.mean(axis=1, keepdims=True)
        return (centred / np.linalg.norm(centred, axis=1, keepdims=True)).astype(np.float32)

    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(reference.shape[1])
    flat.add(directions(reference))
    asked = directions(questioned)
    return lambda: flat.search(asked, K)


def row(
    work: str,
    ours: list[float],
    peer: list[float] | None,
    n: int,
    goal: str | None = None,
    **figures: object,
) -> Row:
    """Return one row of the table, in milliseconds a query."""
    a = statistics.median(ours) / n * 1e3
    b = None if peer is None else statistics.median(peer) / n * 1e3
    ratio = None
    if peer is not None:
        ratio = statistics.median(y / x for x, y in zip(ours, peer, strict=True))
    return {
        "work": work,
        "ours": f"{a:.3g} ms a query",
        "peer": "" if b is None else f"faiss flat: {b:.3g} ms",
        "figures": {"ours_ms": a, "peer_ms": b, **figures},
        "ratio": ratio,
        "goal": goal,
    }


def check(index: ProfileIndex, questioned: ProfileSet, reference: ProfileSet) -> None:
    """Compare some queries with sorting all scores."""
    some = questioned.select(np.arange(CHECKED))
    scores = compare(some, reference, metric=METRIC).scores
    found = index.nearest(some, k=K, progress=False)
    for scored, positions in zip(scores, found.positions, strict=True):
        assert np.array_equal(np.lexsort((np.arange(len(scored)), -scored))[:K], positions)


def batch_rows(kind: str, *, n: int, n_questioned: int, runs: int, seed: int) -> list[Row]:
    """Time a batch of queries: prepared index compiled and not, one call, and faiss."""
    values = made_profiles(n + n_questioned, kind, seed)
    questioned, reference = as_profiles(values[n:], "q"), as_profiles(values[:n], "r")
    start = time.perf_counter()
    index = build_index(reference, metric=METRIC)
    built = time.perf_counter() - start
    check(index, questioned, reference)

    def ask() -> object:
        return index.nearest(questioned, k=K, workers=1, progress=False)

    def ask_uncompiled() -> object:
        with nothing_compiled():
            return ask()

    def once() -> object:
        return nearest(questioned, reference, k=K, metric=METRIC, workers=1, progress=False)

    peer = faiss_search(values[:n], values[n:])
    assert ask_uncompiled() == ask()
    contenders = [ask, ask_uncompiled, once, *([] if peer is None else [peer])]
    took = in_turn(contenders, runs)
    theirs = took[3] if peer is not None else None
    named = f"top {K} of {n:,}, {n_questioned:,} queries, {kind}"
    goal = "10 times" if kind == "factor" else "reported"
    return [
        row(f"{named}, prepared", took[0], theirs, n_questioned, goal, build_seconds=built),
        row(f"{named}, prepared, numpy only", took[1], theirs, n_questioned, build_seconds=built),
        row(f"{named}, not prepared", took[2], theirs, n_questioned),
    ]


def single_rows(*, n: int, n_questioned: int, seed: int) -> list[Row]:
    """Time one query after another in a warm process."""
    values = made_profiles(n + n_questioned, "factor", seed)
    index = build_index(as_profiles(values[:n], "r"), metric=METRIC)
    ones = [as_profiles(v[None], f"q{k}-") for k, v in enumerate(values[n:])]
    works: dict[str, Callable[[ProfileSet], object]] = {
        f"links r >= 0.99 of one in {n:,}": lambda one: index.links(one, threshold=0.99),
        f"top {K} of one in {n:,}": lambda one: index.nearest(one, k=K),
    }
    rows_of: list[Row] = []
    for work, ask in works.items():
        ask(ones[0])
        took = []
        for one in ones:
            start = time.perf_counter()
            ask(one)
            took.append(time.perf_counter() - start)
        goal = "at most 50 ms" if work.startswith("links") else None
        rows_of.append(row(work, took, None, 1, goal, slowest_ms=max(took) * 1e3))
    return rows_of


def rows(quick: bool) -> list[Row]:
    """Return the rows of the table: work, ours, peer, figures and the ratio peer / ours."""
    n, n_questioned, runs = (50_000, 300, 3) if quick else (200_000, 1_000, 5)
    made: list[Row] = []
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, seed in (("factor", 101), ("iid", 102)):
            made += batch_rows(kind, n=n, n_questioned=n_questioned, runs=runs, seed=seed)
        made += single_rows(n=100_000 if quick else 1_000_000, n_questioned=100, seed=103)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    for one in rows(options.quick):
        peer = one["figures"]["peer_ms"]
        beside = "" if peer is None else f"{one['peer']}  ratio {one['ratio']:.1f}"
        print(f"{one['work']:62} {one['ours']:22} {beside}")


if __name__ == "__main__":
    main()

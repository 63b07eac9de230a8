"""Links over a Dask cluster: two workers of one thread against one, and against no cluster.

Run it with ``python benchmarks/cluster_links.py``; ``--quick`` searches fewer profiles. The
contenders take turns, so that a machine whose speed drifts slows all of them; the ratios are what
to quote. Everything is timed that `links` does: planning, sending the profiles to the workers, and
putting the links in order. All contenders must find the same links to the last bit. The machine
needs two processors that are free: the scheduler and the client take some of them as well.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from distributed import Client, LocalCluster

from drugsig import ProfileSet
from drugsig.comparison.linking import links
from drugsig.comparison.links import Links

N_TARGETS = 30
N_FACTORS = 6
LARGEST_BATCH = 50

# What was searched while this was written had another seed.
SEED = 20_240

# One thread a worker, whatever library it comes from; and memory that is used again and again is
# not given back to the system each time, as Dask otherwise makes its workers do.
ENVIRONMENT = {
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    ),
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
}


def made(n: int, kind: str, *, seed: int = SEED) -> ProfileSet:
    """Draw profiles of batches: between-source values with shared factors, or independent."""
    rng = np.random.default_rng(seed)
    sizes = np.arange(1, LARGEST_BATCH + 1)
    share = sizes**-1.2
    batch = np.repeat(np.arange(n), rng.choice(sizes, size=n, p=share / share.sum()))[:n]
    n_batches = int(batch[-1]) + 1
    between = rng.normal(size=(n_batches, N_TARGETS))
    if kind == "factor":
        loadings = rng.normal(size=(N_FACTORS, N_TARGETS)) / np.sqrt(N_FACTORS)
        shared = rng.normal(size=(n_batches, N_FACTORS)) @ loadings
        between = np.sqrt(0.6) * shared + np.sqrt(0.4) * between
    values = np.exp(between[batch] + rng.normal(scale=0.15, size=(n, N_TARGETS)))
    values[rng.random((n_batches, N_TARGETS))[batch] < 0.17] = 0.0
    values = (values / values.sum(axis=1, keepdims=True)) ** 0.25
    return ProfileSet(values, [f"T{k}" for k in range(N_TARGETS)], [f"p{k}" for k in range(n)])


def in_turn(contenders: list[Callable[[], Links]], runs: int) -> tuple[list[list[float]], Links]:
    """Return the seconds of every contender, timed in turn, and the links all of them found."""
    seconds: list[list[float]] = [[] for _ in contenders]
    first: Links | None = None
    for _ in range(runs):
        for took, contender in zip(seconds, contenders, strict=True):
            start = time.perf_counter()
            found = contender()
            took.append(time.perf_counter() - start)
            first = found if first is None else first
            assert found == first
            assert found.scores.tobytes() == first.scores.tobytes()
    assert first is not None
    return seconds, first


def cluster(stack: ExitStack, n_workers: int) -> Client:
    made_cluster = stack.enter_context(
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=None,
        )
    )
    return stack.enter_context(Client(made_cluster, set_as_default=False))


def processor_seconds(client: Client) -> list[float]:
    """Return the processor time that each worker has used so far."""
    return [t.user + t.system for t in client.run(os.times).values()]


def used(client: Client, search: Callable[[], object]) -> list[float]:
    """Return the processor time that each worker needs for a search."""
    before = processor_seconds(client)
    search()
    after = processor_seconds(client)
    return [round(b - a, 2) for a, b in zip(before, after, strict=True)]


def measured(
    one: Client, two: Client, profiles: ProfileSet, threshold: float, runs: int, what: str
) -> list[dict[str, Any]]:
    """Search with one worker, with two and with one thread of this process, in turn."""
    options: dict[str, Any] = {"metric": "pearson", "threshold": threshold, "progress": False}
    seconds, found = in_turn(
        [
            lambda: links(profiles, client=one, **options),
            lambda: links(profiles, client=two, **options),
            lambda: links(profiles, workers=1, **options),
        ],
        runs,
    )
    processors = [
        used(client, lambda client=client: links(profiles, client=client, **options))
        for client in (one, two)
    ]
    by_one, by_two, by_thread = (statistics.median(s) for s in seconds)
    figures = {
        "profiles": len(profiles),
        "links": len(found),
        "seconds, one worker": [round(s, 2) for s in seconds[0]],
        "seconds, two workers": [round(s, 2) for s in seconds[1]],
        "seconds, one thread and no cluster": [round(s, 2) for s in seconds[2]],
        "processor seconds of the one worker": processors[0],
        "processor seconds of the two workers": processors[1],
        "ratio that free processors would show for the work of the workers": round(
            2.0 * sum(processors[0]) / sum(processors[1]), 2
        ),
        "load of the machine": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }
    return [
        {
            "work": what,
            "ours": f"two one-core workers: {by_two:.2f} s",
            "peer": f"one one-core worker: {by_one:.2f} s",
            "figures": figures,
            "ratio": statistics.median(a / b for a, b in zip(*seconds[:2], strict=True)),
            "goal": 1.7,
            "note": f"{len(found):,} links, the same by all",
        },
        {
            "work": f"{what}; what the cluster itself costs",
            "ours": f"one one-core worker: {by_one:.2f} s",
            "peer": f"one thread, no cluster: {by_thread:.2f} s",
            "figures": figures,
            "ratio": by_thread / by_one,
        },
    ]


def rows(quick: bool) -> list[dict[str, Any]]:
    """Return the rows of the benchmark: work, ours, peer, figures, ratio (peer over ours)."""
    n, runs = (80_000, 2) if quick else (200_000, 2)
    work = (("iid", 0.9),) if quick else (("iid", 0.9), ("factor", 0.95))
    os.environ.update(ENVIRONMENT)
    out: list[dict[str, Any]] = []
    with ExitStack() as stack:
        one, two = cluster(stack, 1), cluster(stack, 2)
        # Libraries are loaded and code is compiled before anything is timed.
        small = made(50_000, "factor", seed=1)
        for client in (one, two, None):
            links(small, metric="pearson", threshold=0.999, client=client, progress=False)
        for kind, threshold in work:
            what = f"links r >= {threshold}, {n:,} profiles x {N_TARGETS}, '{kind}', Dask cluster"
            profiles = made(n, kind)
            out += measured(one, two, profiles, threshold, runs, what)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    for row in rows(options.quick):
        print(f"\n{row['work']}\n    {row['ours']}; {row['peer']}; ratio {row['ratio']:.2f}")
        for name, figure in row["figures"].items():
            print(f"    {name}: {figure}")


if __name__ == "__main__":
    main()

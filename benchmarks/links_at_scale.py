"""Exact links among many profiles, side by side with scipy's k-d tree, and grouping below a cut.

Run it with ``python -m benchmarks.links_at_scale``; ``--quick`` searches fewer profiles. Every job
runs in a process of its own, so that its peak of memory is its own; contenders take turns within
it. Peers are measured up to 200,000 profiles and extrapolated beyond, which the table says.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from drugsig import ProfileSet, group_links, links
from drugsig.comparison.fast_forms import has_numba
from drugsig.comparison.search import near_pairs
from drugsig.datasets import simulate_values
from drugsig.errors import DrugsigWarning

# Not the seeds that leaves and margins were chosen with.
SEED = 271_828

N_TARGETS = 30


def made(n: int, kind: str, *, seed: int = SEED, **options: Any) -> ProfileSet:
    """Return sum-normalised profiles with their fourth root taken."""
    drawn = simulate_values(rng=np.random.default_rng(seed), n_profiles=n, between=kind, **options)
    values = drawn.values.copy()
    del drawn
    values /= values.sum(axis=1, keepdims=True)
    np.sqrt(values, out=values)
    np.sqrt(values, out=values)
    return ProfileSet(
        values, [f"T{k:02d}" for k in range(N_TARGETS)], [f"P{k:07d}" for k in range(n)]
    )


def peak_gb() -> float:
    """Return the most memory this process has used."""
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / 1e9
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit) / 1e9


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def without_compiled_code(work: Callable[[], Any]) -> Any:
    """Do the work as where the extra ``fast`` is not installed."""
    kept = near_pairs.has_numba
    near_pairs.has_numba = lambda: False  # type: ignore[assignment]
    try:
        return work()
    finally:
        near_pairs.has_numba = kept  # type: ignore[assignment]


def by_tree(profiles: ProfileSet, threshold: float) -> int:
    """Find the pairs with scipy's k-d tree on unit vectors turned to their principal axes."""
    from scipy.spatial import cKDTree

    x = profiles.values - profiles.values.mean(axis=1, keepdims=True)
    x /= np.sqrt((x * x).sum(axis=1, keepdims=True))
    x -= x.mean(axis=0)
    _, axes = np.linalg.eigh(x.T @ x)
    turned = np.ascontiguousarray((x @ axes)[:, ::-1])
    # Of 8, 16, 32 and 64 profiles in a leaf 16 was the fastest.
    tree = cKDTree(turned, leafsize=16, balanced_tree=True, compact_nodes=True)
    return len(tree.query_pairs(math.sqrt(2.0 * (1.0 - threshold)), output_type="ndarray"))


def job_links(n: int, kind: str, threshold: float, runs: int, peer: bool) -> dict[str, Any]:
    """Time links with and without compiled code, and the peer in between."""
    profiles = made(n, kind)
    warm = made(60_000, kind, seed=1)
    has_fast = has_numba()

    def search() -> Any:
        return links(profiles, metric="pearson", threshold=threshold, memory=8e9, progress=False)

    links(warm, metric="pearson", threshold=threshold, progress=False)
    out: dict[str, Any] = {"fast": [], "numpy": [], "peer": []}
    found: Any = None
    for run in range(runs):
        if has_fast:
            seconds, found = timed(search)
            out["fast"].append(seconds)
        seconds, plain = timed(lambda: without_compiled_code(search))
        out["numpy"].append(seconds)
        if found is not None:
            assert plain == found, "compiled code found other links"
        found = plain
        if peer and run == 0:
            seconds, n_found = timed(lambda: by_tree(profiles, threshold))
            out["peer"].append(seconds)
            # Without a definition in target order, a pair on the threshold may fall either way.
            assert abs(n_found - len(found)) <= 2, (n_found, len(found))
    sizes = np.bincount(found.components)
    return {
        **{name: statistics.median(s) if s else None for name, s in out.items()},
        "links": len(found),
        "largest": int(sizes.max()),
        "components": len(sizes),
        "peak_gb": peak_gb(),
    }


def job_groups(n: int, threshold: float) -> dict[str, Any]:
    """Time links, components and average linkage below the cut."""
    profiles = made(n, "factor")
    links(made(60_000, "factor", seed=1), metric="pearson", threshold=threshold, progress=False)
    searched, found = timed(
        lambda: links(profiles, metric="pearson", threshold=threshold, progress=False)
    )
    grouped, groups = timed(lambda: group_links(found, profiles, progress=False))
    return {
        "links_s": searched,
        "groups_s": grouped,
        "groups": len(groups),
        "largest": groups.largest_component,
        "peak_gb": peak_gb(),
    }


def job_percolation(n: int) -> dict[str, Any]:
    """Show that a percolating component is refused and where it breaks up."""
    from drugsig.errors import ComponentSizeError

    profiles = made(n, "continuum", step=0.05)
    found = links(profiles, metric="pearson", threshold=0.99, memory=8e9, progress=False)
    try:
        group_links(found, profiles, memory=1e8, progress=False)
    except ComponentSizeError as error:
        return {"largest": error.largest, "threshold": error.threshold, "links": len(found)}
    raise AssertionError("the percolation was not refused")


def in_own_process(name: str, **options: Any) -> dict[str, Any]:
    """Run a job in a process of its own and return what it found."""
    command = [sys.executable, "-m", "benchmarks.links_at_scale", "--job", name]
    done = subprocess.run(
        [*command, "--options", json.dumps(options)], capture_output=True, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def row(work: str, ours: str, peer: str, ratio: float | None, goal: str, note: str) -> dict:
    return {"work": work, "ours": ours, "peer": peer, "ratio": ratio, "goal": goal, "note": note}


def rows(quick: bool) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    middle, large = (50_000, 200_000) if quick else (200_000, 1_000_000)
    out = []
    first = in_own_process("links", n=middle, kind="factor", threshold=0.99, runs=3, peer=True)
    for name, goal in (("numpy", "10 times the tree"), ("fast", "50 times the tree")):
        if first[name] is not None:
            out.append(
                row(
                    f"links r >= 0.99, {middle:,}, 'factor', {name}",
                    f"{first[name]:.2f} s",
                    f"scipy cKDTree, turned: {first['peer']:.1f} s",
                    first["peer"] / first[name],
                    goal,
                    f"{first['links']:,} links, largest component {first['largest']:,}",
                )
            )
    second = in_own_process("links", n=large, kind="factor", threshold=0.99, runs=2, peer=False)
    # The tree's work grew with the power 1.49 from 200,000 to 1,000,000 profiles where it was
    # measured in full.
    reached = first["peer"] * (large / middle) ** 1.49
    for name, goal in (("numpy", "at most 35 s"), ("fast", "at most 10 s")):
        if second[name] is not None:
            out.append(
                row(
                    f"links r >= 0.99, {large:,}, 'factor', {name}",
                    f"{second[name]:.1f} s",
                    f"scipy cKDTree, extrapolated: {reached:.0f} s",
                    reached / second[name],
                    goal,
                    f"{second['links']:,} links, largest component {second['largest']:,}; "
                    f"{second['peak_gb']:.1f} GB at most (goal 3)",
                )
            )
    third = in_own_process("links", n=middle, kind="iid", threshold=0.99, runs=1, peer=False)
    out.append(
        row(
            f"links r >= 0.99, {middle:,}, 'iid'",
            f"{third['fast'] or third['numpy']:.1f} s",
            "",
            None,
            "reported",
            f"all pairs multiplied in blocks, {third['links']:,} links; {large:,} would take "
            f"{(large / middle) ** 2:.0f} times as long",
        )
    )
    sizes = (12_500, 25_000, 50_000) if quick else (50_000, 100_000, 200_000, 400_000)
    for threshold in (0.95, 0.99, 0.999):
        took = [
            in_own_process("links", n=n, kind="factor", threshold=threshold, runs=1, peer=False)
            for n in sizes
        ]
        seconds = [t["numpy"] for t in took]
        slope = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
        out.append(
            row(
                f"growth at r >= {threshold}, {sizes[0]:,} to {sizes[-1]:,}, 'factor', numpy",
                f"N^{slope:.2f}",
                "",
                None,
                "reported",
                f"{', '.join(f'{s:.2f}' for s in seconds)} s; largest component "
                f"{took[-1]['largest']:,}",
            )
        )
    fourth = in_own_process("groups", n=large, threshold=0.99)
    out.append(
        row(
            f"average linkage below r = 0.99, {large:,}, links included",
            f"{fourth['links_s'] + fourth['groups_s']:.1f} s",
            "",
            None,
            "at most 120 s",
            f"{fourth['groups']:,} groups, largest component {fourth['largest']:,}; "
            f"{fourth['peak_gb']:.1f} GB at most",
        )
    )
    fifth = in_own_process("percolation", n=20_000)
    out.append(
        row(
            "average linkage where links percolate, 20,000 along a continuum",
            "refused",
            "",
            None,
            "refused",
            f"largest component {fifth['largest']:,}; breaks up at r >= {fifth['threshold']:.6f}",
        )
    )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--options", default="{}", help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore", DrugsigWarning)
    jobs = {"links": job_links, "groups": job_groups, "percolation": job_percolation}
    if options.job:
        print(json.dumps(jobs[options.job](**json.loads(options.options))))
        return
    for each in rows(options.quick):
        ratio = "" if each["ratio"] is None else f", {each['ratio']:.1f} times"
        print(f"{each['work']}: {each['ours']} ({each['goal']}); {each['peer']}{ratio}")
        print(f"    {each['note']}")


if __name__ == "__main__":
    main()

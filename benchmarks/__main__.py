"""All measurements in one go: ``python -m benchmarks`` prints a table, with ``--write`` it is kept.

It takes up to 40 minutes; ``--quick`` takes a few and says so in the table. Quote the ratios: every
pair of contenders was timed in turn on one machine. ``--only links dense`` runs some of the parts.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from drugsig.errors import DrugsigWarning

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "performance.md"

# What is measured, and the module whose `rows` measures it.
PARTS = {
    "links": "benchmarks.links_at_scale",
    "dense": "benchmarks.compare_dense",
    "nearest": "benchmarks.nearest",
    "cluster": "benchmarks.cluster_links",
    "evidence": "benchmarks.evidence",
}

PACKAGES = (
    "numpy", "scipy", "pandas", "scikit-learn", "numba", "dask", "distributed", "faiss-cpu", "lir",
)  # fmt: skip

INTRODUCTION = """# How fast it is

This page is written by `python -m benchmarks --write`, in one run on one machine. Trust the ratios
more than the seconds: contenders took turns, and other work on a machine slows both. The goals were
set before the code was written. *numpy* needs nothing but the library's own dependencies; *fast* is
the extra of that name, `pip install "drugsig[fast]"`, which finds the same links to the last bit.

Data are simulated: 30 targets, batches of 1 to 50 profiles, within-source RSD of 10 to 20 %,
17 % zeros, sum-normalised, fourth root. In "factor" data shared factors carry 60 % of what makes
sources differ, as compounds that rise and fall together do; in "iid" data every target differs by
itself, which is the worst case for pruning. Seeds are others than those the code was tuned with.

## How links are found

1. Profiles become points: unit vectors for correlations and cosines, whitened for Mahalanobis,
   log-ratios for Aitchison, as they are for the Euclidean distance. They are turned to the axes
   along which they spread most.
2. A tree puts neighbours into leaves. Pairs of leaves whose boxes are farther apart than the
   threshold allows are left out, and then the points that are too far from a leaf's box.
3. What is left is multiplied in blocks, in single precision, with a margin that rounding cannot
   exceed. Manhattan, Canberra and Bray-Curtis sum their terms in single precision instead, and
   have bounds of their own for two boxes.
4. Every pair proposed so is scored by the definition: float64, target by target, in order. That
   score decides, so links do not depend on the way they were found.

A few leaves are tried first. If pruning leaves half of all pairs or more, as with a wide threshold
or many targets that vary alone, no tree is used and all pairs are multiplied in blocks. Metrics
that count (peaks in common, targets within a few standard deviations), quotients, combinations of
techniques and profiles in which a target was not measured are scored pair by pair.
`scripts/check_links.py` compares the links of every metric with every pair by the definition.

## Measured
"""


def installed() -> Iterable[str]:
    """Yield the packages that took part, with their versions."""
    for name in PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def machine() -> str:
    """Return what the figures were measured on."""
    return (
        f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}, Python "
        f"{platform.python_version()}; {', '.join(installed())}"
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    lines = ["| work | drugsig | beside it | ratio | goal | |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio, goal = row.get("ratio"), row.get("goal")
        cells = (
            row["work"],
            row["ours"] + (f": {row['ours_s']:.2f} s" if "ours_s" in row else ""),
            (row.get("peer") or "") + (f": {row['peer_s']:.2f} s" if "peer_s" in row else ""),
            "" if ratio is None else f"{ratio:.3g}",
            f"{goal:g} times" if isinstance(goal, float) else goal or "",
            row.get("note") or "",
        )
        lines.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer profiles")
    parser.add_argument("--write", action="store_true", help="write the page of the documentation")
    parser.add_argument("--only", nargs="*", choices=PARTS, help="some of the parts")
    options = parser.parse_args()
    warnings.simplefilter("ignore", DrugsigWarning)
    began = time.perf_counter()
    parts = []
    for name in options.only or PARTS:
        start = time.perf_counter()
        print(f"-- {name}", file=sys.stderr, flush=True)
        try:
            rows = importlib.import_module(PARTS[name]).rows(options.quick)
        except ImportError as error:
            # A peer, or an extra, that is not installed: the other parts are still worth having.
            rows = [{"work": name, "ours": "not measured", "note": str(error)}]
        parts.append(table(rows))
        print(parts[-1], flush=True)
        print(f"-- {name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    minutes = (time.perf_counter() - began) / 60
    fewer = ", with fewer profiles than the goals speak of" if options.quick else ""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    told = f"Measured on {today} in {minutes:.0f} minutes{fewer}: {machine()}.\n"
    print(told)
    if options.write:
        PAGE.write_text("\n".join([INTRODUCTION, *parts, told]), encoding="utf-8", newline="\n")
        print(f"written: {PAGE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""`drugsig analyse` at many sizes, as a command, beside the imports that anything like it needs.

Run it with ``python benchmarks/analyse.py``. Simulated profiles of 30 targets, 30 % of known
source, in a table that is read, analysed and reported, at a threshold by which chance makes one
link in ten profiles. ``--sizes 1000000`` takes a million profiles, ``--workbook``, given last, the
arguments of a table of one's own. Every round runs each size once and the bare imports before it;
given are medians, their ratio to the imports, the largest memory of the process, and how time grows
with the profiles.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from drugsig.datasets import simulate_values

IMPORTS = "import pandas, scipy.stats, matplotlib.pyplot, sklearn"
RULE = """[population]
name = "known batches"
source = ["batch_id"]
specimen = "profile_id"
linked = {same = ["batch_id"]}
unlinked = {different = ["batch_id"]}
"""
KNOWN = 0.3
TARGETS = 30

# Chance links a profile: a rate that is kept fixed would make more of them the more profiles there
# are, and nobody could look at them.
CHANCE_LINKS = 0.1


def made_table(n: int, path: Path) -> None:
    """Write a table of simulated profiles, the batches of three in ten sources named."""
    rng = np.random.default_rng(n)
    made = simulate_values(rng=rng, n_profiles=n, n_targets=TARGETS)
    known = rng.random(len(made.source_values)) < KNOWN
    batch = [f"B{k}" if known[k] else "" for k in made.sources]
    table = pd.DataFrame(made.values, columns=[f"T{k:02d}" for k in range(TARGETS)])
    table.insert(0, "batch_id", batch)
    table.insert(0, "profile_id", [f"P{k:07d}" for k in range(n)])
    table.to_csv(path, index=False, float_format="%.6g")


def timed(command: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds and its largest memory in GB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, used.ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workbook", nargs=argparse.REMAINDER, default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rule.toml").write_text(RULE, encoding="utf-8")
        commands: dict[str, list[str]] = {}
        if options.workbook:
            commands["workbook"] = options.workbook
        for n in sorted(options.sizes):
            made_table(n, folder / f"{n}.csv")
            commands[f"{n:,}"] = [
                *(str(folder / f"{n}.csv"), "--metadata", "batch_id"),
                *("--rule", str(folder / "rule.toml")),
                *("--chance-links", f"{CHANCE_LINKS * n:.0f}"),
            ]
        bare: list[float] = []
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        memory: dict[str, float] = dict.fromkeys(commands, 0.0)
        for _ in range(options.rounds):
            for name, arguments in commands.items():
                bare.append(timed([sys.executable, "-c", IMPORTS])[0])
                out = folder / "out"
                shutil.rmtree(out, ignore_errors=True)
                run = [sys.executable, "-m", "drugsig", "analyse", *arguments, "--quiet"]
                took, most = timed([*run, "--out", str(out)])
                seconds[name].append(took)
                memory[name] = max(memory[name], most)
                report = (out / "report.html").stat().st_size / 1e6
                print(f"{name:>10} {took:8.1f} s {most:6.2f} GB, report {report:.1f} MB")
        imports = statistics.median(bare)
        print(f"\nbare imports {imports:.2f} s")
        print("| profiles | s | times the imports | GB | grows as n^ |")
        print("|---|---|---|---|---|")
        before: tuple[int, float] | None = None
        for name, found in seconds.items():
            took, grows = statistics.median(found), ""
            if name != "workbook":
                n = int(name.replace(",", ""))
                if before is not None:
                    power = np.log(took / before[1]) / np.log(n / before[0])
                    grows = f"{power:.2f}"
                before = n, took
            print(f"| {name} | {took:.1f} | {took / imports:.1f} | {memory[name]:.2f} | {grows} |")


if __name__ == "__main__":
    main()

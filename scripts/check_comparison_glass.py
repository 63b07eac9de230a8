"""Check the two-level likelihood ratio against the worked example of the R package comparison.

The package (CRAN, version 1.0.8) compares two halves of one glass item, and halves of two items, in
the elements K, Ca and Fe, and states the four LRs below. Its data are not part of this
repository. Whoever has the package writes them to a file, in R:

    write.csv(comparison::glass, "glass.csv", row.names = FALSE)

and then runs

    python scripts/check_comparison_glass.py glass.csv

The background is all 200 items. The control is rows 1-6 of the first item (s1), compared with
its rows 7-12 and with rows 7-12 of the second item (s2). Every item has twelve profiles, so the
conventions about unequal numbers of replicates do not matter here; the bandwidth does, and the
kernel LRs are shown with both.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from drugsig.evidence.two_level import BANDWIDTHS, CONVENTIONS, fit_two_level

CONVENTION = "comparison_1.0.8_makeCompVar"
ITEM = "item"
ELEMENTS = ("logKO", "logCaO", "logFeO")
HALF = 6

# What the package states, for one item and for two.
PUBLISHED = {"normal": (51.1424311, 0.0289990757), "kernel": (20.5896672, 0.0116139204)}

# Nine digits are printed, and the file holds fifteen.
TOLERANCE = 1e-6


def read_glass(path: Path) -> tuple[np.ndarray, list[str]]:
    """Return the logarithms of K, Ca and Fe, and the item of each row."""
    with path.open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    missing = [name for name in (ITEM, *ELEMENTS) if not rows or name not in rows[0]]
    if missing:
        raise SystemExit(
            f"{path} has no column {', '.join(missing)}. Write the table with "
            'write.csv(comparison::glass, "glass.csv", row.names = FALSE) in R.'
        )
    values = np.array([[float(row[name]) for name in ELEMENTS] for row in rows])
    return values, [row[ITEM] for row in rows]


def halves(values: np.ndarray, items: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the control, the other half of its item, and the second half of the next item."""
    first, second = list(dict.fromkeys(items))[:2]
    one, two = (values[np.array(items) == item] for item in (first, second))
    if len(one) != 2 * HALF or len(two) != 2 * HALF:
        raise SystemExit(f"items {first} and {second} should have {2 * HALF} rows each")
    return one[:HALF], one[HALF:], two[HALF:]


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("glass", type=Path, help="the glass data of the package, as CSV")
    values, items = read_glass(parser.parse_args(arguments).glass)
    control, same, other = halves(values, items)
    own = CONVENTIONS[CONVENTION].bandwidth
    agree = True
    sys.stdout.write("between  bandwidth     items      published         found  difference\n")
    for between, published in PUBLISHED.items():
        # The normal density has no bandwidth, so it is shown once.
        for bandwidth in (own, *(b for b in BANDWIDTHS if b != own and between == "kernel")):
            model = fit_two_level(
                values, items, replicate_level="unit", features=ELEMENTS, between=between,
                conventions=CONVENTION, bandwidth=bandwidth,
            )  # fmt: skip
            width = bandwidth if between == "kernel" else "-"
            for label, half, expected in zip(("one", "two"), (same, other), published, strict=True):
                found = 10.0 ** model.log10_lr(control, half)
                off = found / expected - 1.0
                sys.stdout.write(
                    f"{between:8} {width:12} {label:6} {expected:13.9g} {found:13.9g} {off:11.1e}\n"
                )
                agree &= bandwidth != own or abs(off) <= TOLERANCE
    verdict = "the four LRs agree" if agree else "NOT all of the four LRs agree"
    sys.stdout.write(f"With the conventions {CONVENTION!r}, {verdict} to {TOLERANCE:g}.\n")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())

"""A small laboratory table with known batches, and an analysis file for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

N_BATCHES, SIZE, TARGETS = 8, 4, 8

ANALYSIS = """\
[drugsig]
format = 1

[input]
path = "table.csv"

[pretreatment]
recipe = "sum | fourth_root"

[comparison]
metric = "pearson_distance"

[population]
name = "known batches"
source_level = "production batch"
source = ["batch"]
specimen = "specimen"
seizure = "seizure"
strata = ["route"]
[population.linked]
same = ["batch"]
[population.unlinked]
different = ["batch"]
[population.exclude]
remark = ["aged"]

[run]
seed = 7
"""


def table_text() -> str:
    """Return a table of 32 profiles in 8 batches, one of them doubtful and one not measured."""
    rng = np.random.default_rng(11)
    names = [f"T{k}" for k in range(TARGETS)]
    lines = [",".join(["profile_id", "batch", "seizure", "route", "remark", "specimen", *names])]
    for batch in range(N_BATCHES):
        centre = rng.lognormal(3.0, 1.2, TARGETS)
        for member in range(SIZE):
            values = centre * rng.lognormal(0.0, 0.08, TARGETS)
            cells = [f"{v:.4f}" for v in values]
            remark = "aged" if (batch, member) == (0, 0) else ""
            if (batch, member) == (1, 0):
                cells[2] = ""
            if batch == 2:
                cells[3] = "<0.05"
            name = f"{batch:03d}-{member}"
            route = f"route {'AB'[batch % 2]}"
            head = [name, f"B{batch}", f"S{batch}{member % 2}", route, remark, name]
            lines.append(",".join([*head, *cells]))
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with ``table.csv`` and ``analysis.toml``."""
    (tmp_path / "table.csv").write_text(table_text(), encoding="utf-8")
    (tmp_path / "analysis.toml").write_text(ANALYSIS, encoding="utf-8")
    return tmp_path

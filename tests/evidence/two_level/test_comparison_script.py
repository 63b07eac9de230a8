"""The script that checks the worked example of another package, on a made-up table."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.evidence.two_level.cases import drawn, fitted


@pytest.fixture(scope="module")
def script(repository: Path) -> ModuleType:
    place = repository / "scripts" / "check_comparison_glass.py"
    spec = importlib.util.spec_from_file_location("check_comparison_glass", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(path: Path, heading: str = "item,fragment,logKO,logCaO,logFeO") -> np.ndarray:
    values, sources = drawn(40, 3, counts=(12,), ratio=2.0)
    lines = [
        f"{s},f1,{a!r},{b!r},{c!r}" for s, (a, b, c) in zip(sources, values.tolist(), strict=True)
    ]
    path.write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")
    return values


def test_it_shows_the_lrs_of_the_table_and_says_that_they_differ(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = table(tmp_path / "glass.csv")
    assert script.main([str(tmp_path / "glass.csv")]) == 1
    shown = capsys.readouterr().out
    model = fitted(values, drawn(40, 3, counts=(12,), ratio=2.0)[1], between="normal")
    for other in (values[6:12], values[18:24]):
        assert f"{10.0 ** model.log10_lr(values[:6], other):.9g}" in shown
    assert "NOT all of the four LRs agree" in shown
    assert shown.count("kernel") == 4


def test_it_agrees_where_the_figures_do(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = table(tmp_path / "glass.csv")
    sources = drawn(40, 3, counts=(12,), ratio=2.0)[1]
    figures = {
        between: tuple(
            10.0 ** fitted(values, sources, between=between).log10_lr(values[:6], other)
            for other in (values[6:12], values[18:24])
        )
        for between in ("normal", "kernel")
    }
    monkeypatch.setattr(script, "PUBLISHED", figures)
    assert script.main([str(tmp_path / "glass.csv")]) == 0


def test_another_table_is_explained(script: ModuleType, tmp_path: Path) -> None:
    table(tmp_path / "glass.csv", "item,fragment,K,Ca,Fe")
    with pytest.raises(SystemExit, match=r"no column logKO, logCaO, logFeO\. Write the table with"):
        script.main([str(tmp_path / "glass.csv")])

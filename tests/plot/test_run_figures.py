from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from drugsig import Status, plot, read_run
from drugsig.acquisition import Chromatogram, Run, RunMetadata
from drugsig.acquisition.cell_reasons import Flag
from drugsig.acquisition.peak_table import PeakTable
from drugsig.errors import InputError, UnknownNameError
from drugsig.quality import check_runs
from tests.plot.peak_tables import peak_table


def tables_of(n: int) -> list[PeakTable]:
    return [peak_table(f"run {k:03d}", [500.0, 0.0, 900.0]) for k in range(n)]


def texts(figure: plot.Drawing) -> list[str]:
    return [t.get_text() for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text()]


def test_every_run_has_a_panel_with_what_was_found() -> None:
    tables = [
        peak_table("a", [500.0, 0.0]),
        peak_table("b", [500.0, 5.0], status={0: Status.REJECTED}),
        peak_table("c", [500.0, 5.0], status={0: Status.NOT_MEASURED}),
        peak_table("d", [500.0, 5.0], status={0: Status.BELOW_LOQ}, flags={0: (Flag.SHOULDER,)}),
    ]
    told = texts(plot.integrations(tables, target="target 0", ids=["A", "B", "C", "D"]))
    for text in ("A", "B", "C", "D", "S/N 50", "saturated", "outside of the run",
                 "below quantification !", "target 0"):  # fmt: skip
        assert text in told
    assert "no peak" in texts(plot.integrations(tables, target="target 1"))


def test_what_is_shaded_lies_between_the_bounds_and_is_hatched_where_rejected() -> None:
    tables = [
        peak_table("a", [500.0]),
        peak_table("b", [500.0], status={0: Status.REJECTED}),
        peak_table("c", [0.0]),
    ]
    (axes,) = plot.integrations(tables, target="target 0").axes
    areas = [p for p in axes.patches if to_rgba(p.get_facecolor())[3] > 0]
    assert [p.get_hatch() is not None for p in areas] == [False, True]
    grey = areas[0].get_path().vertices
    # Peak bounds of 16 s within a span of 32 s.
    reach = np.ptp(np.asarray(grey)[:, 0])
    assert reach == pytest.approx(1.02 * 16.0 / 32.0, abs=0.05)


def test_all_runs_are_drawn_in_order_while_they_are_few() -> None:
    assert plot.runs_drawn(tables_of(60), target="target 0") == tuple(range(60))


def test_of_many_runs_rejected_and_flagged_ones_come_first_and_the_rest_is_counted() -> None:
    tables = tables_of(70)
    tables[65] = peak_table("flagged", [500.0, 0.0, 1.0], flags={0: (Flag.SHOULDER,)})
    tables[69] = peak_table("bad", [500.0, 0.0, 1.0], status={0: Status.REJECTED})
    drawn = plot.runs_drawn(tables, target="target 0")
    assert drawn[:3] == (69, 65, 0)
    assert len(drawn) == plot.MOST_PANELS
    told = texts(plot.integrations(tables, target="target 0"))
    assert any("10 more runs are not drawn" in t for t in told)
    assert {"bad", "flagged"} <= set(told)


def test_sheets_are_small_and_fit_two_on_a_page() -> None:
    figure = plot.integrations(tables_of(24), target="target 0")
    assert figure.get_size_inches()[1] < 4.2
    assert len(plot.to_svg(figure, decimals=2)) < 150_000


def test_rounded_points_lie_where_they_were() -> None:
    figure = plot.integrations(tables_of(3), target="target 0")
    exact, rounded = plot.to_svg(figure, prefix="a"), plot.to_svg(figure, prefix="a", decimals=2)
    assert len(rounded) < len(exact)
    assert exact.count("\nL ") == rounded.count("\nL ")


def test_runs_that_measured_nothing_are_drawn_as_empty_panels() -> None:
    table = peak_table("a", [5.0], status={0: Status.NOT_MEASURED})
    figure = plot.integrations([table], target="target 0")
    assert "outside of the run" in texts(figure)


def test_an_unknown_target_and_missing_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="target 1"):
        plot.integrations(tables_of(2), target="targt 1")
    with pytest.raises(InputError, match="one name a table"):
        plot.integrations(tables_of(2), target="target 1", ids=["a"])


def test_the_internal_standard_is_charted_with_its_outliers() -> None:
    areas = [1000.0, 1010.0, 990.0, 1005.0, 1002.0, 400.0, 0.0]
    tables = [peak_table(f"r{k}", [a], roles=["internal_standard"]) for k, a in enumerate(areas)]
    (chart,) = check_runs(tables).standards
    (axes,) = plot.internal_standard(chart).axes
    marked = [line for line in axes.lines if line.get_marker() == "D"]
    assert [np.asarray(line.get_xdata()).tolist() for line in marked] == [[5]]
    assert [t.get_text() for t in axes.get_xticklabels()] == [f"r{k}" for k in range(7)]


def test_an_internal_standard_that_was_never_found_is_not_charted() -> None:
    tables = [peak_table("a", [0.0], roles=["internal_standard"])]
    with pytest.raises(InputError, match="found in no run"):
        plot.internal_standard(check_runs(tables).standards[0])


@pytest.fixture(scope="module")
def run(repository: Path) -> Run:
    return read_run(repository / "data/examples/casework/runs/Q1-03.cdf")


def test_a_run_is_drawn_as_its_total_or_an_ion(run: Run) -> None:
    total = plot.chromatogram(run).axes[0].lines[0]
    assert np.array_equal(total.get_ydata(), run.tic)
    part = plot.chromatogram(run, mz=82, between_s=(80.0, 100.0))
    times = np.asarray(part.axes[0].lines[0].get_xdata())
    assert times.min() >= 80.0
    assert times.max() <= 100.0
    assert "Q1-03.cdf, m/z 82" in texts(part)


def test_a_span_without_points_and_ions_of_a_trace_are_refused(run: Run) -> None:
    with pytest.raises(InputError, match="no point to draw"):
        plot.chromatogram(run, between_s=(9e4, 9e5))
    trace = Chromatogram(
        np.arange(3.0), np.ones(3), "FID1A", RunMetadata("a.cdf", "0" * 64, "andi_ms")
    )
    assert plot.chromatogram(trace).axes[0].get_ylabel() == "intensity"
    with pytest.raises(InputError, match="Leave mz out"):
        plot.chromatogram(trace, mz=82)

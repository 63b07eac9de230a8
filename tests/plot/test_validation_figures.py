from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from drugsig.errors import InputError
from drugsig.evidence.sensitivity import TARGET
from drugsig.evidence.validation.findings import finding
from drugsig.plot import to_svg
from drugsig.plot.sensitivity_figures import MOST_CASES, sensitivity
from drugsig.plot.validation_figures import changes, cllr_by_seed
from tests.evidence.sensitivity.cases import found
from tests.evidence.validation.cases import small_validation

SERIES = {"raw": {0: 0.4, 1: 0.5}, "reported": {0: 0.3, 1: float("inf")}}


def texts(figure: Figure) -> list[str]:
    """Return what stands beside and in the panel of a figure."""
    axes = figure.axes[0]
    return [t.get_text() for t in (*axes.get_yticklabels(), *axes.texts)]


def fits(figure: Figure) -> bool:
    """Say whether everything lies within the figure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    frame, tight = Bbox.from_bounds(0, 0, *figure.get_size_inches()), figure.get_tightbbox()
    return bool(
        tight.x0 > -0.02 and tight.y0 > -0.02
        and tight.x1 < frame.x1 + 0.02 and tight.y1 < frame.y1 + 0.02
    )  # fmt: skip


def test_the_figures_fit_and_are_the_same_on_every_run() -> None:
    report = small_validation().report
    makers = (
        lambda: sensitivity(found()),
        lambda: cllr_by_seed({s.name: s.cllr for s in report.stages}, limit=0.5),
        lambda: changes(report.of("robustness")),
    )
    for make in makers:
        assert fits(make())
        assert to_svg(make()) == to_svg(make())


def test_every_case_is_drawn_under_its_kind() -> None:
    drawn = texts(sensitivity(found()))
    assert drawn[0] == "as evaluated"
    assert TARGET in drawn
    assert all(any(c.name == text for text in drawn) for c in found().of(TARGET))


def test_many_cases_are_cut_to_those_that_move_most() -> None:
    one = found().of(TARGET)[0]
    many = tuple(
        replace(one, name=f"without $T{k}$", log10_lr=one.log10_lr - k / 100) for k in range(40)
    )
    figure = sensitivity(replace(found(), cases=many))
    drawn = texts(figure)
    assert fits(figure)
    assert f"and {40 - MOST_CASES} that move it less" in drawn
    assert r"without \$T39\$" in drawn
    assert r"without \$T0\$" not in drawn


def test_what_could_not_be_fitted_is_said_and_a_far_raw_value_is_written() -> None:
    one = found().of(TARGET)[0]
    nothing = replace(one, log10_lr=float("nan"), log10_lr_raw=float("nan"), why_not="too few")
    far = replace(one, log10_lr_raw=-3862.0)
    figure = sensitivity(replace(found(), cases=(nothing, far)))
    assert fits(figure)
    assert {"could not be fitted", "-3862.0"} <= set(texts(figure))


def test_an_infinite_cllr_is_drawn_at_the_edge() -> None:
    figure = cllr_by_seed(SERIES, limit=0.5)
    low, high = figure.axes[0].get_ylim()
    assert all(
        low <= y <= high
        for line in figure.axes[0].lines
        for y in np.asarray(line.get_ydata(), dtype=float)
    )


def test_seeds_are_names_and_stand_side_by_side() -> None:
    for seeds, shown in (([7], ["7"]), ([3, 1000], ["3", "1000"])):
        figure = cllr_by_seed({"reported": dict.fromkeys(seeds, 0.3)})
        assert fits(figure)
        assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == shown
    many = cllr_by_seed({"reported": dict.fromkeys(range(60), 0.3)})
    assert len(many.axes[0].get_xticklabels()) == 20


def test_the_three_verdicts_differ_in_form() -> None:
    findings = small_validation().report.of("robustness")
    three = [
        replace(f, verdict=v)
        for f, v in zip(findings, ("pass", "fail", "not assessed"), strict=False)
    ]
    figure = changes(three)
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert labels == ["passes", "fails", "no criterion", "95 % interval", "criterion"]
    marks = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    forms = {(str(m.get_marker()), str(m.get_markerfacecolor())) for m in marks}
    assert len(forms) == 3


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(InputError, match="no finite Cllr"):
        cllr_by_seed({"raw": {0: float("inf")}})
    with pytest.raises(InputError, match="nothing to draw"):
        changes([finding("optimism", None, None, why="not measured")])

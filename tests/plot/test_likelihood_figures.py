"""Figures of likelihood ratios: inside their frame, and saying what the numbers say."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from drugsig import plot
from drugsig.errors import DrugsigWarning
from drugsig.evidence.bounds import elub
from drugsig.evidence.performance import LrPerformance, measure_performance
from drugsig.plot import likelihood_figures
from tests.evidence.performance.cases import calibrated_pairs

KINDS = ("banded", "without sources", "infinite", "separated", "one place")
FIGURES = ("tippett", "ece", "pav")


def performance(kind: str) -> LrPerformance:
    values, linked, a, b = calibrated_pairs(np.random.default_rng(0), n_sources=30, within=0.1)
    sources: dict[str, Any] = {} if kind == "without sources" else {"source_a": a, "source_b": b}
    if kind == "infinite":
        values[np.argmax(linked)] = -math.inf
    if kind == "separated":
        values = np.where(linked, 2.0, -2.0) + values / 1000
    if kind == "one place":
        values = np.zeros(len(values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return measure_performance(
            values, linked, rng=np.random.default_rng(0), n_resamples=100, **sources
        )


def draw(name: str, kind: str) -> Figure:
    return getattr(likelihood_figures, name)(performance(kind))


def texts_of(figure: Figure) -> str:
    found = [t for t in figure.findobj(Text) if isinstance(t, Text)]
    return "\n".join(t.get_text() for t in found if t.get_visible())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_inside_its_own_frame(name: str, kind: str) -> None:
    figure = draw(name, kind)
    figure.draw_without_rendering()
    frame = Bbox.from_bounds(0, 0, *figure.get_size_inches())
    tight = figure.get_tightbbox()
    assert tight.x0 > -0.02
    assert tight.y0 > -0.02
    assert tight.x1 < frame.x1 + 0.02
    assert tight.y1 < frame.y1 + 0.02
    assert frame.x1 <= plot.A4_WIDTH


@pytest.mark.parametrize("name", FIGURES)
def test_the_band_is_drawn_where_there_is_one(name: str) -> None:
    assert "95 % by resampling sources" in texts_of(draw(name, "banded"))
    assert "95 %" not in texts_of(draw(name, "without sources"))


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_figure_gives_the_same_text(name: str) -> None:
    assert plot.to_svg(draw(name, "banded")) == plot.to_svg(draw(name, "banded"))


def test_the_numbers_stand_above_the_figures() -> None:
    found = performance("banded")
    assert f"Cllr {found.cllr.value:.3g} (" in texts_of(likelihood_figures.ece(found))
    assert f"devPAV {found.devpav.value:.3g} (" in texts_of(likelihood_figures.pav(found))
    assert "misleading: " in texts_of(likelihood_figures.tippett(found))


def test_what_is_infinite_is_said() -> None:
    assert "cost infinitely much" in texts_of(draw("ece", "infinite"))
    assert "no linked pair" in texts_of(draw("pav", "banded"))
    assert "devPAV has no value" in texts_of(draw("pav", "separated"))


@pytest.mark.parametrize("name", ["tippett", "pav"])
def test_bounds_are_drawn_and_named(name: str) -> None:
    values, linked, _, _ = calibrated_pairs(np.random.default_rng(0), n_sources=30, within=0.1)
    bounds = elub(values, linked)
    figure = getattr(likelihood_figures, name)(performance("banded"), bounds=bounds)
    assert "bounds (ELUB)" in texts_of(figure)
    places = [
        float(line.get_xdata()[0])
        for line in figure.axes[0].get_lines()
        if line.get_linestyle() == "-." and len(line.get_xdata())
    ]
    assert places == [bounds.low, bounds.high]


def test_curves_are_those_of_the_result() -> None:
    found = performance("banded")
    axes = likelihood_figures.tippett(found).axes[0]
    linked, unlinked = axes.get_lines()[:2]
    np.testing.assert_array_equal(linked.get_ydata(), found.tippett.linked)
    np.testing.assert_array_equal(unlinked.get_ydata(), found.tippett.unlinked)


@pytest.mark.parametrize("name", ["tippett", "ece", "pav"])
def test_the_legend_hides_no_curve(name: str) -> None:
    figure = draw(name, "banded")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert not legend.get_window_extent().overlaps(figure.axes[0].get_window_extent())
    assert figure.axes[0].get_legend() is None

from __future__ import annotations

import warnings

import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from drugsig.errors import DrugsigWarning, InputError
from drugsig.evidence import pair_sample
from drugsig.evidence.discrimination import Discrimination, measure_discrimination
from drugsig.plot import A4_WIDTH, to_svg
from drugsig.plot.discrimination_figures import MOST_CURVES, det, roc_band
from tests.plot.cases import RULE, Case, case_of, simulated

DRAWN = {"roc_band": roc_band, "det": det}


@pytest.fixture(scope="module")
def measured(case: Case) -> Discrimination:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return measure_discrimination(
            pair_sample(case.comparison, case.compared, RULE),
            rng=np.random.default_rng(1), n_resamples=100,
        )  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("n", [1, 2, MOST_CURVES])
def test_curves_are_drawn_inside_their_frame_and_fit_a_page(
    name: str, n: int, measured: Discrimination
) -> None:
    curves = measured if n == 1 else {f"treatment ${k}$ <b>": measured for k in range(n)}
    figure = DRAWN[name](curves)
    figure.draw_without_rendering()
    frame = Bbox.from_bounds(0, 0, *figure.get_size_inches())
    tight = figure.get_tightbbox()
    assert tight.x0 > -0.02
    assert tight.y0 > -0.02
    assert tight.x1 < frame.x1 + 0.02
    assert tight.y1 < frame.y1 + 0.02
    assert frame.x1 <= A4_WIDTH
    assert to_svg(figure) == to_svg(DRAWN[name](curves))


def test_the_figures_stand_in_the_legend(measured: Discrimination) -> None:
    told = {t.get_text() for t in roc_band(measured).findobj(Text) if isinstance(t, Text)}
    assert any(t.startswith("area ") for t in told)
    told = {t.get_text() for t in det({"one": measured}).findobj(Text) if isinstance(t, Text)}
    assert any(t.startswith("one: equal error ") for t in told)


def test_bands_are_drawn_of_two_curves_at_most(measured: Discrimination) -> None:
    two = roc_band({"a": measured, "b": measured})
    three = roc_band({"a": measured, "b": measured, "c": measured})
    assert [len(axes.collections) for axes in two.axes] == [2, 2]
    assert [len(axes.collections) for axes in three.axes] == [0, 0]


@pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")
@pytest.mark.parametrize("metric", ["cosine", "canberra"])
def test_similarities_are_drawn_as_well(metric: str) -> None:
    case = case_of(simulated(8, 3), metric=metric)
    found = measure_discrimination(
        pair_sample(case.comparison, case.compared, RULE),
        rng=np.random.default_rng(1), n_resamples=100,
    )  # fmt: skip
    for draw in DRAWN.values():
        assert "<svg" in to_svg(draw(found))


def test_none_and_too_many_curves_are_refused(measured: Discrimination) -> None:
    for curves in ({}, {str(k): measured for k in range(MOST_CURVES + 1)}):
        for draw in DRAWN.values():
            with pytest.raises(InputError, match=f"1 to {MOST_CURVES} curves"):
                draw(curves)

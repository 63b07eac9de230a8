from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.testing import assert_array_equal
from scipy.cluster.hierarchy import leaves_list

from drugsig import ProfileSet, Status, compare, group, plot
from drugsig.errors import InputError, ThresholdError, UnknownNameError
from drugsig.evidence import given_threshold, share_of_true_links
from drugsig.plot.heat_maps import medoids
from tests.plot.cases import Case, case_of, simulated

Draw = Callable[[Case], Figure]

# Between the dark and the light half of the scale, as a mean of red, green and blue.
DARK = 165

# Inches that a figure may take on A4 beside its caption.
PAGE_HEIGHT = 24.5 / 2.54

FIGURES: dict[str, Draw] = {
    "profiles": lambda c: plot.profiles(c.compared, ids=c.compared.ids[:4], title="four"),
    "all profiles": lambda c: plot.profiles(c.raw),
    "group_profiles": lambda c: plot.group_profiles(c.compared, c.groups, undecided=["P001"]),
    "heat_map": lambda c: plot.heat_map(c.comparison, groups=c.groups, threshold=c.threshold),
    "heat_map alone": lambda c: plot.heat_map(c.comparison),
    "distributions": lambda c: plot.distributions(c.sample, c.threshold),
    "roc": lambda c: plot.roc(c.sample, c.threshold),
    "strata": lambda c: plot.strata(c.threshold),
    "true_links": lambda c: plot.true_links(
        share_of_true_links(true_positive_rate=0.9, false_positive_rate=0.02)
    ),
}


def texts_of(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    found = [t for t in figure.findobj(Text) if isinstance(t, Text)]
    return [t.get_text() for t in found if t.get_visible() and t.get_text()]


@pytest.fixture(scope="module", params=FIGURES, ids=str)
def figure(request: pytest.FixtureRequest, case: Case) -> Figure:
    return FIGURES[request.param](case)


def test_every_figure_is_drawn_inside_its_own_frame(figure: Figure) -> None:
    figure.draw_without_rendering()
    frame = Bbox.from_bounds(0, 0, *figure.get_size_inches())
    tight = figure.get_tightbbox()
    assert tight.x0 > -0.02, "something is cut off on the left"
    assert tight.y0 > -0.02, "something is cut off below"
    assert tight.x1 < frame.x1 + 0.02, "something is cut off on the right"
    assert tight.y1 < frame.y1 + 0.02, "something is cut off above"


# Panels of groups fill as many pages as there are; see the test of a page of them.
@pytest.mark.parametrize("name", sorted(FIGURES.keys() - {"group_profiles"}))
def test_every_figure_fits_a_page_of_a4(name: str, case: Case) -> None:
    width, height = FIGURES[name](case).get_size_inches()
    assert width <= plot.A4_WIDTH
    assert height < PAGE_HEIGHT


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("metric", ["cosine", "canberra"])
def test_similarities_and_open_ranges_are_drawn_as_well(name: str, metric: str) -> None:
    case = case_of(simulated(8, 3), metric=metric)
    assert "<svg" in plot.to_svg(FIGURES[name](case))


def test_panels_are_named_and_count_their_undecided(case: Case) -> None:
    members = case.groups.members(1)
    texts = texts_of(plot.group_profiles(case.compared, case.groups, undecided=members[:2]))
    assert "G001" in texts
    assert f"{len(members)} profiles, 2 undecided" in texts


def test_a_page_of_panels_fits_a4(case: Case) -> None:
    long_names = case.compared.target_names
    wide = ProfileSet(
        np.hstack([case.compared.values] * 4),
        [f"{name} with a long name ({k})" for k in range(4) for name in long_names],
        case.compared.ids,
    )
    for profile_set in (case.compared, wide):
        numbers = range(1, plot.groups_a_page(profile_set) + 1)
        figure = plot.group_profiles(profile_set, case.groups, numbers=list(numbers))
        assert figure.get_figheight() < PAGE_HEIGHT


def test_where_names_would_touch_fewer_are_shown_and_that_is_said(case: Case) -> None:
    n = 120
    wide = ProfileSet(np.ones((2, n)), [f"target {k}" for k in range(n)], ["a", "b"])
    texts = texts_of(plot.profiles(wide))
    assert "every 3rd target is named" in texts
    assert "target 3" in texts
    assert "target 4" not in texts


def test_cells_below_a_limit_are_open_markers_and_gaps_are_gaps() -> None:
    status = [[0, Status.BELOW_LOD, 0], [0, Status.NOT_MEASURED, 0]]
    profile_set = ProfileSet(
        [[1.0, 0.5, 2.0], [1.0, np.nan, 3.0]], ["a", "b", "c"], ["x", "y"], status=status
    )
    axes = plot.profiles(profile_set).axes[0]
    spots = [
        line.get_xydata().tolist()  # type: ignore[union-attr]
        for line in axes.lines
        if line.get_linestyle() == "None" and len(np.asarray(line.get_xdata()))
    ]
    assert spots == [[[1.0, 0.5]]]
    assert np.isnan(np.asarray(axes.lines[2].get_ydata(), dtype=float)[1])


def test_the_heat_map_stands_in_the_order_of_the_tree(case: Case) -> None:
    figure = plot.heat_map(case.comparison, groups=case.groups)
    pixels = np.asarray(figure.axes[0].images[0].get_array())
    order = case.groups.tree_members[leaves_list(case.groups.tree)]
    scores = case.comparison.scores[np.ix_(order, order)]
    assert_array_equal(
        pixels[..., :3].mean(axis=2) < DARK,
        case.comparison.metric.meets(scores, case.groups.threshold),
    )
    # Members of a group stand next to each other.
    assert (np.diff(case.groups.labels[order]) != 0).sum() == len(case.groups) - 1


def test_above_600_profiles_one_stands_for_each_group_and_the_figure_says_so() -> None:
    case = case_of(simulated(210, 3))
    figure = plot.heat_map(case.comparison, groups=case.groups)
    rows = np.asarray(figure.axes[0].images[0].get_array()).shape[0]
    assert rows == len(case.groups) < plot.MOST_ROWS
    assert any("stands for it (630 profiles)" in text for text in texts_of(figure))


def test_the_medoid_is_the_most_central_member(case: Case) -> None:
    for number, place in medoids(case.comparison, case.groups).items():
        rows = [case.comparison.row_ids.index(i) for i in case.groups.members(number)]
        sums = {r: sum(case.comparison.scores[r, k] for k in rows) for r in rows}
        assert sums[place] == pytest.approx(min(sums.values()), rel=1e-12)


def test_the_threshold_lies_on_the_dark_side_of_the_scale() -> None:
    profile_set = ProfileSet(
        [[1.0, 2.0, 3.0], [1.0, 2.0, 4.0], [3.0, 2.0, 1.0]], ["a", "b", "c"], ["x", "y", "z"]
    )
    comparison = compare(profile_set, metric="euclidean")
    figure = plot.heat_map(comparison, threshold=comparison["x", "y"])
    pixels = np.asarray(figure.axes[0].images[0].get_array())[..., :3].mean(axis=2)
    assert pixels[0, 1] < DARK < pixels[0, 2]


def test_bars_hold_every_pair_once_and_hatch_the_links(case: Case) -> None:
    sample = case.sample
    whole = plot.distributions(case.sample, case.threshold).axes[2]
    bars = [p for p in whole.patches if hasattr(p, "get_height")]
    assert sum(b.get_height() for b in bars) == sample.n_unlinked
    hatched = sum(b.get_height() for b in bars if b.get_hatch())
    assert (
        hatched == case.threshold.metric.meets(sample.unlinked_scores, case.threshold.value).sum()
    )


def test_few_linked_pairs_have_a_tick_each(case: Case) -> None:
    sample = case.sample
    upper = plot.distributions(case.sample, case.threshold).axes[0]
    paths = [p.get_path() for p in upper.patches if not hasattr(p, "get_height")]
    assert sum(len(np.asarray(p.vertices)) for p in paths) == 2 * sample.n_linked


def test_what_cannot_be_drawn_is_said(case: Case) -> None:
    bare = given_threshold(0.1, metric=case.comparison.metric)
    for draw in (plot.distributions, plot.roc):
        with pytest.raises(ThresholdError, match="not validated"):
            draw(case.sample, bare)
    with pytest.raises(ThresholdError, match="not validated"):
        plot.strata(bare)
    with pytest.raises(InputError, match="error rates"):
        plot.true_links(())
    with pytest.raises(InputError, match="no profile"):
        plot.profiles(case.compared, ids=[])
    with pytest.raises(UnknownNameError, match="'P001'"):
        plot.profiles(case.compared, ids=["P001x"])
    with pytest.raises(InputError, match="another order"):
        plot.group_profiles(case.compared.select(case.compared.ids[:5]), case.groups)
    other = compare(case.compared.select(case.compared.ids[:5]))
    with pytest.raises(InputError, match="or of others"):
        plot.heat_map(other, groups=case.groups)
    with pytest.raises(ThresholdError, match="range"):
        plot.heat_map(case.comparison, threshold=99.0)


def test_groups_of_one_only_are_no_figure() -> None:
    alone = case_of(simulated(8, 3))
    groups = group(alone.comparison, threshold=0.0)
    with pytest.raises(InputError, match="every profile stands alone"):
        plot.group_profiles(alone.compared, groups)

"""Groups from links alone: the same as `group` and scipy give, in parts, and refused in time."""

from __future__ import annotations

import warnings
from math import comb

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from drugsig import ProfileSet, compare, plot
from drugsig.comparison import METRICS, Links, score_pairs
from drugsig.datasets.values import simulate_values
from drugsig.errors import (
    ChainingWarning,
    ComponentSizeError,
    DrugsigWarning,
    GroupingError,
    InputError,
    SizeError,
    ThresholdError,
    UnknownNameError,
)
from drugsig.groups import LINKAGES, Groups, below_cut, group_links
from drugsig.groups.below_cut import RowScores, all_pairs
from tests.groups.test_group import grouped, sets


def below(links: Links, profiles: ProfileSet, **options) -> Groups:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return group_links(links, profiles, **options)


def compared(profiles: ProfileSet, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return compare(profiles, **options)


def profiles_of(values, ids=None) -> ProfileSet:
    values = np.asarray(values, dtype=float)
    names = [f"T{k}" for k in range(values.shape[1])]
    return ProfileSet(values, names, list(ids) if ids else [f"p{k}" for k in range(len(values))])


def simulated(n: int, *, seed: int = 1, **options) -> ProfileSet:
    values = simulate_values(rng=np.random.default_rng(seed), n_profiles=n, **options).values
    return profiles_of((values / values.sum(axis=1, keepdims=True)) ** 0.25)


@st.composite
def small_sets(draw) -> ProfileSet:
    """Profiles on a coarse grid, with duplicates, gaps and constant ones: ties abound."""
    n = draw(st.integers(2, 14))
    seed = draw(st.integers(0, 2**32 - 1))
    steps = draw(st.sampled_from([2, 4, 1000]))
    rng = np.random.default_rng(seed)
    values = rng.integers(0, steps, (n, 6)).astype(float)
    values[rng.random(n) < 0.3] = values[0]
    if draw(st.booleans()):
        values[rng.random(values.shape) < 0.15] = np.nan
    return profiles_of(values, [f"p{k}" for k in rng.permutation(n)])


# -- the same groups -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", LINKAGES)
@pytest.mark.parametrize("metric", ["pearson", "euclidean", "pearson_distance_percent"])
def test_groups_are_those_of_scipy_and_of_group(method, metric: str) -> None:
    profiles = simulated(600, n_targets=12)
    comparison = compare(profiles, metric=metric)
    scores = comparison.condensed()
    similar = comparison.metric.is_similarity
    distance = comparison.metric.as_distance(comparison.scores)
    tree = linkage(squareform(distance, checks=False), method)
    for share in np.random.default_rng(3).uniform(0.0005, 0.02, 4):
        threshold = float(np.quantile(scores, 1 - share if similar else share))
        links = comparison.links(threshold)
        found = below(links, profiles, linkage=method)
        cut = float(comparison.metric.as_distance(np.asarray(threshold)))
        assert sets(found.labels) == sets(fcluster(tree, cut, criterion="distance"))
        whole = grouped(comparison, threshold=threshold, linkage=method)
        np.testing.assert_array_equal(found.labels, whole.labels)
        np.testing.assert_array_equal(found.components, whole.components)
        assert 1 < len(found) < 600
        assert found.below_cut
        assert not whole.below_cut


@given(
    small_sets(),
    st.sampled_from(["manhattan", "euclidean", "pearson", "canberra_r", "bray_curtis"]),
    st.sampled_from(LINKAGES),
    st.floats(0, 1),
    st.booleans(),
)
def test_ties_duplicates_and_gaps_are_treated_alike(
    profiles: ProfileSet, metric: str, method: str, place: float, exactly: bool
) -> None:
    comparison = compared(profiles, metric=metric, min_measured=3)
    scores = np.unique(comparison.condensed())
    scores = scores[np.isfinite(scores)]
    assume(len(scores))
    threshold = float(
        scores[int(place * (len(scores) - 1))] if exactly else np.quantile(scores, place)
    )
    alone = np.isin(comparison.row_ids, comparison.undefined_ids)
    gaps = np.isnan(comparison.scores[np.ix_(~alone, ~alone)])
    np.fill_diagonal(gaps, False)
    # There a gap may lie between two components, which here is no obstacle.
    assume(not gaps.any())
    whole = grouped(comparison, threshold=threshold, linkage=method)
    found = below(comparison.links(threshold), profiles, linkage=method)
    np.testing.assert_array_equal(found.labels, whole.labels)
    np.testing.assert_array_equal(found.components, whole.components)
    assert found.undefined_ids == whole.undefined_ids
    assert found.chained == whole.chained
    assert (found.threshold, found.metric, found.linkage) == (
        whole.threshold, whole.metric, whole.linkage
    )  # fmt: skip


@given(small_sets(), st.sampled_from(LINKAGES), st.integers(1, 12), st.randoms())
def test_the_order_of_profiles_does_not_count(
    profiles: ProfileSet, method: str, threshold: int, random
) -> None:
    profiles = profiles_of(np.nan_to_num(profiles.values), profiles.ids)
    order = list(range(len(profiles)))
    random.shuffle(order)
    shuffled = profiles.select(np.array(order))
    plain, other = (
        below(compare(s, metric="manhattan").links(threshold), s, linkage=method)
        for s in (profiles, shuffled)
    )
    np.testing.assert_array_equal(other.labels, plain.labels[order])
    np.testing.assert_array_equal(other.components, plain.components[order])


@pytest.mark.parametrize(("large", "together"), [(3, 1), (3, 10**6), (10**6, 1), (10**6, 40)])
def test_how_components_are_put_together_does_not_count(
    large: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = simulated(500, seed=2)
    links = compare(profiles, metric="pearson").links(0.985)
    plain = below(links, profiles)
    monkeypatch.setattr(below_cut, "_LARGE", large)
    monkeypatch.setattr(below_cut, "_PAIRS_TOGETHER", together)
    again = below(links, profiles)
    assert again == plain
    assert plain.chained
    assert plain.sizes[0] > 3


def test_a_stricter_threshold_needs_no_new_links() -> None:
    profiles = simulated(400)
    comparison = compare(profiles, metric="pearson_distance")
    links = comparison.links(0.02)
    assert below(links, profiles, threshold=0.01) == below(comparison.links(0.01), profiles)
    assert below(links, profiles, threshold=0.02) == below(links, profiles)
    with pytest.raises(ThresholdError, match=r"0\.03 is more permissive than that of the links.*"
                       r"pearson_distance <= 0\.02"):  # fmt: skip
        group_links(links, profiles, threshold=0.03)
    with pytest.raises(ThresholdError, match="outside the range"):
        group_links(links, profiles, threshold=-1.0)


def test_a_far_profile_does_not_decide_how_a_tie_is_broken() -> None:
    """a, b and c are one apart in a chain; z is nearest to c, and out of reach."""
    near = profiles_of([[2.0], [1.0], [0.0]], "abc")
    with_far = profiles_of([[2.0], [1.0], [0.0], [-1.5]], ["a", "b", "c", "Z"])
    for profiles in (near, with_far):
        comparison = compare(profiles, metric="manhattan")
        for method in ("average", "complete", "weighted"):
            whole = grouped(comparison, threshold=1.0, linkage=method)
            assert whole.labels[:3].tolist() == [1, 1, len(profiles) - 1]
            found = below(comparison.links(1.0), profiles, linkage=method)
            np.testing.assert_array_equal(found.labels, whole.labels)


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("method", LINKAGES)
def test_few_profiles_are_grouped_too(n: int, method: str) -> None:
    profiles = profiles_of(np.zeros((n, 1)), [f"p{k}" for k in range(n)])
    found = below(compare(profiles, metric="manhattan").links(0.0), profiles, linkage=method)
    assert len(found) == min(n, 1)
    assert found.undefined_ids == ()


def test_chaining_is_said() -> None:
    profiles = profiles_of(np.arange(8.0)[:, None])
    links = compare(profiles, metric="manhattan").links(1.0)
    with pytest.warns(ChainingWarning, match="the largest with 8 of 8") as caught:
        assert len(group_links(links, profiles)) == 4
    assert [w.filename for w in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(group_links(links, profiles, linkage="single")) == 1


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["average", "complete", "weighted"])
def test_a_percolating_component_is_refused_with_where_it_breaks_up(method: str) -> None:
    values = simulate_values(rng=np.random.default_rng(1), n_profiles=800, between="continuum")
    profiles = profiles_of((values.values / values.values.sum(axis=1, keepdims=True)) ** 0.25)
    comparison = compare(profiles, metric="pearson")
    links = comparison.links(0.95)
    largest = int(np.bincount(links.components).max())
    assert largest > 300
    memory = 16 * comb(100, 2)
    with pytest.raises(SizeError) as caught:
        group_links(links, profiles, linkage=method, memory=memory)
    error = caught.value
    assert isinstance(error, ComponentSizeError)
    assert (error.largest, error.allowed) == (largest, 100)
    assert error.threshold is not None
    assert f"holds {largest:,} of 800 profiles" in str(error)
    assert f"breaks up at threshold {error.threshold!r}" in str(error)
    assert f"the largest then holds {error.largest_there:,}" in str(error)
    # There it fits, and at the next link's score it would not.
    found = below(links, profiles, linkage=method, memory=memory, threshold=error.threshold)
    assert found.largest_component == error.largest_there
    whole = grouped(comparison, threshold=error.threshold, linkage=method)
    np.testing.assert_array_equal(found.labels, whole.labels)
    beyond = float(links.scores[links.scores < error.threshold].max())
    assert np.bincount(comparison.links(beyond).components).max() > 100


def test_single_linkage_and_memory_enough_refuse_nothing() -> None:
    profiles = simulated(300, between="continuum")
    links = compare(profiles, metric="pearson").links(0.9)
    largest = int(np.bincount(links.components).max())
    assert largest > 100
    found = below(links, profiles, linkage="single", memory=0)
    np.testing.assert_array_equal(found.labels, found.components)
    assert found.largest_component == largest
    needed = 16 * comb(largest, 2)
    assert len(below(links, profiles, memory=needed)) > 1
    with pytest.raises(ComponentSizeError):
        group_links(links, profiles, memory=needed - 1)


def test_profiles_that_cannot_be_told_apart_are_one_group_without_any_distance() -> None:
    same = profiles_of(np.ones((50, 1)))
    links = compare(same, metric="manhattan").links(0.0)
    assert below(links, same, memory=0).sizes.tolist() == [50]


def test_no_threshold_helps_where_duplicates_alone_are_too_many() -> None:
    profiles = profiles_of([[0.0]] * 20 + [[1.0]] * 5 + [[2.0]])
    links = compare(profiles, metric="manhattan").links(1.0)
    with pytest.raises(ComponentSizeError, match="Take duplicates out") as caught:
        group_links(links, profiles, memory=16 * comb(10, 2))
    assert caught.value.threshold is None
    assert caught.value.largest_there is None


def test_a_score_missing_within_a_component_is_refused_with_names() -> None:
    nan = np.nan
    values = [
        [1, 2, 3, 4, nan, nan], [1, 2, 3, 4, 5, 6], [nan, nan, 3, 4, 5, 6], [9, 9, 9, 0, 0, 0]
    ]  # fmt: skip
    profiles = profiles_of(values)
    comparison = compared(profiles, metric="euclidean", min_measured=3)
    links = comparison.links(1.0)
    assert links.undefined == 1
    with pytest.raises(GroupingError, match=r"1 pair\(s\) have no score.*'p0', 'p2'.*links\.comp"):
        group_links(links, profiles)
    # Chains of links do not ask for the pair.
    assert len(below(links, profiles, linkage="single")) == 2


def test_a_gap_between_components_is_no_obstacle() -> None:
    nan = np.nan
    values = [[1, 2, 3, 4, nan, nan], [1, 2, 3, 4, 8, 9], [nan, nan, 3, 4, 5, 6]]
    profiles = profiles_of(values)
    comparison = compared(profiles, metric="euclidean", min_measured=3)
    links = comparison.links(1.0)
    assert links.undefined == 1
    found = below(links, profiles)
    assert sets(found.labels) == {frozenset({0, 1}), frozenset({2})}
    assert found.undefined_ids == ()


def test_profiles_without_any_score_stand_alone_and_are_named() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((60, 6))
    values[[3, 40]] = 0.5
    values[7, 1:] = np.nan
    values[50, :3] = np.nan
    profiles = profiles_of(values)
    comparison = compared(profiles, metric="pearson", min_measured=3)
    found = below(comparison.links(0.9), profiles)
    assert found.undefined_ids == comparison.undefined_ids == ("p3", "p7", "p40")


def test_links_of_other_profiles_are_refused() -> None:
    profiles = simulated(40)
    links = compare(profiles, metric="pearson").links(0.9)
    with pytest.raises(GroupingError, match="between 40 profiles, and profile set 'profiles' holds "
                       "39"):  # fmt: skip
        group_links(links, profiles.select(np.arange(39)))
    other = profiles_of(profiles.values**2, profiles.ids)
    with pytest.raises(GroupingError, match=r"not found in profile set 'profiles' as it is: 'p\d+'"
                       r" and 'p\d+' are .* apart by the links"):  # fmt: skip
        group_links(links, other)
    with pytest.raises(GroupingError, match="between two sets"):
        group_links(compare(profiles, profiles, metric="pearson").links(0.9), profiles)


def test_other_refusals() -> None:
    profiles = simulated(20)
    links = compare(profiles, metric="pearson").links(0.9)
    with pytest.raises(GroupingError, match="ward linkage cannot be cut at a score"):
        group_links(links, profiles, linkage="ward")
    with pytest.raises(UnknownNameError, match="Did you mean 'average'"):
        group_links(links, profiles, linkage="averge")


# -- along the way ---------------------------------------------------------------------------------


def test_it_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = simulated(500, seed=2)
    links = compare(profiles, metric="pearson").links(0.985)
    monkeypatch.setattr(below_cut, "_PAIRS_TOGETHER", 1)
    plain, calls = below_cut._grouped, []

    def interrupted(*given):
        calls.append(len(given))
        if len(calls) > 2:
            raise KeyboardInterrupt
        return plain(*given)

    with monkeypatch.context() as patched:
        patched.setattr(below_cut, "_grouped", interrupted)
        with pytest.raises(KeyboardInterrupt):
            group_links(links, profiles)
    assert len(calls) == 3
    assert below(links, profiles) == below(links, profiles)


@pytest.mark.parametrize("progress", [True, False])
def test_nothing_is_shown_where_there_is_no_terminal(progress: bool, capfd) -> None:
    profiles = simulated(300, seed=2)
    below(compare(profiles, metric="pearson").links(0.985), profiles, progress=progress)
    assert capfd.readouterr() == ("", "")


# -- the scores ------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [name for name, m in METRICS.items() if not m.needs_fit])
@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_distances_are_those_of_the_definition_to_the_bit(metric: str, gaps: float) -> None:
    rng = np.random.default_rng(5)
    values = rng.random((90, 8))
    values[rng.random(values.shape) < 0.2] = 0.0
    values[rng.random(values.shape) < gaps] = np.nan
    values[:4] = [[0.5] * 8, [0.0] * 8, values[9], values[9]]
    profiles = profiles_of(values)
    rows, columns = np.triu_indices(90, k=1)
    measure = METRICS[metric]
    wanted = measure.as_distance(
        score_pairs(profiles, profiles, rows, columns, metric=metric, min_measured=4)
    )
    scores = RowScores(profiles, measure, 4)
    part = scores.part(np.arange(90))
    np.testing.assert_array_equal(scores.upper(part), wanted)
    np.testing.assert_array_equal(scores.listed(part, rows, columns), wanted)


@given(st.lists(st.integers(1, 6), max_size=8))
def test_pairs_stand_as_scipy_condenses_them(sizes: list[int]) -> None:
    rows, columns = all_pairs(np.array(sizes, dtype=np.intp))
    first = np.cumsum([0, *sizes])
    wanted = [np.array(np.triu_indices(m, k=1)) + s for m, s in zip(sizes, first, strict=False)]
    np.testing.assert_array_equal(
        np.stack([rows, columns]), np.concatenate([np.empty((2, 0), int), *wanted], axis=1)
    )


# -- the object ------------------------------------------------------------------------------------


def test_how_groups_without_a_tree_show_themselves() -> None:
    profiles = profiles_of([[0.0], [1.0], [2.5], [9.0]], "abcd")
    comparison = compare(profiles, metric="manhattan")
    found = below(comparison.links(1.5), profiles)
    assert found.tree.shape == (0, 4)
    assert found.tree_members.shape == (0,)
    assert found.cophenetic_correlation is None
    assert "2 components of links, clustered below the threshold only>" in repr(found)
    assert "<td>a, b</td>" in found._repr_html_()
    assert found != grouped(comparison, threshold=1.5)
    assert found.to_frame().equals(grouped(comparison, threshold=1.5).to_frame())
    with pytest.raises(InputError, match=r"clustered below the threshold only.*drugsig\.group"):
        plot.heat_map(comparison, groups=found)


def test_members_of_many_groups() -> None:
    profiles = profiles_of(np.repeat(np.arange(400.0), 3)[:, None] * 10)
    found = below(compare(profiles, metric="manhattan").links(0.0), profiles)
    assert len(found) == 400
    assert [m for k in range(1, 401) for m in found.members(k)] == [
        found.ids[k] for k in np.argsort(found.labels, kind="stable")
    ]
    with pytest.raises(UnknownNameError, match=r"unknown group 'G401'\. There are G001 to G400"):
        found.members(401)

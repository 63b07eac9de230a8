from __future__ import annotations

import numpy as np
import pytest

from drugsig import ProfileSet, Status
from drugsig.errors import InputError
from drugsig.evidence.performance import Estimate, cllr
from drugsig.evidence.resampling import Interval
from drugsig.evidence.validation.changes import PairCosts, cllr_change, costs_of, same_pairs
from drugsig.evidence.validation.disturbances import can_be_redrawn, mistyped, redrawn
from drugsig.evidence.validation.secondary import HALF_COLUMN, with_halves
from tests.evidence.validation.cases import N_SOURCES, RULE, batches


def ends_of(estimate: Estimate) -> Interval:
    """Return the interval that an estimate has."""
    assert estimate.interval is not None
    return estimate.interval


def pairs_of(scale: float, *, n_sources: int = 20, seed: int = 1) -> PairCosts:
    """Return all pairs of three items of each source, with LRs that grow with `scale`."""
    rng = np.random.default_rng(seed)
    source = np.repeat(np.arange(n_sources), 3)
    first, second = np.triu_indices(len(source), k=1)
    linked = source[first] == source[second]
    lr = scale * (np.where(linked, 1.0, -1.0) + rng.normal(size=len(linked)))
    names = np.array([f"s{k}" for k in source])
    items = np.array([f"i{k}" for k in range(len(source))])
    return costs_of(lr, linked, names[first], names[second], items[first], items[second])


def test_the_cllr_of_pairs_is_the_cllr() -> None:
    linked = np.array([True, True, False, False])
    lr = np.array([0.5, -1.0, 0.2, -2.0])
    found = costs_of(lr, linked, list("aabb"), list("aacd"), list("1256"), list("3478"))
    assert found.cllr == pytest.approx(cllr(lr, linked), rel=1e-12)


def test_a_pair_that_was_tested_twice_counts_once_by_its_mean_cost() -> None:
    lr = np.array([1.0, -1.0, 0.3])
    found = costs_of(
        lr, np.array([True, True, False]), list("aaa"), list("aab"), list("112"), list("223")
    )
    swapped = costs_of(
        lr, np.array([True, True, False]), list("aaa"), list("aab"), list("122"), list("213")
    )
    assert len(found) == len(swapped) == 2
    expected = np.mean(np.log2(1.0 + 10.0 ** -lr[:2]))
    assert found.cost[found.linked] == pytest.approx([expected], rel=1e-12)
    assert swapped.cost.tolist() == found.cost.tolist()


def test_no_change_is_exactly_none() -> None:
    pairs = pairs_of(1.0)
    found = cllr_change(pairs, pairs, rng=np.random.default_rng(1), n_resamples=200)
    assert (found.value, ends_of(found).low, ends_of(found).high) == (0.0, 0.0, 0.0)


def test_a_change_is_the_difference_and_its_interval_is_narrower_than_that_of_one_cllr() -> None:
    one, other = pairs_of(1.0), pairs_of(1.5)
    found = cllr_change(one, other, rng=np.random.default_rng(1), n_resamples=500)
    assert found.value == pytest.approx(other.cllr - one.cllr, rel=1e-12)
    assert ends_of(found).low <= found.value <= ends_of(found).high
    # What both share cancels: other sources with the same change would show about the same.
    apart = [pairs_of(1.5, seed=k).cllr for k in range(2, 30)]
    assert ends_of(found).high - ends_of(found).low < 4 * np.std(apart)


def test_turned_round_it_has_the_other_sign() -> None:
    one, other = pairs_of(1.0), pairs_of(1.5)
    forth, back = (
        cllr_change(a, b, rng=np.random.default_rng(1), n_resamples=200)
        for a, b in ((one, other), (other, one))
    )
    assert back.value == -forth.value
    assert ends_of(back).low == pytest.approx(-ends_of(forth).high, rel=1e-9)


def test_the_same_pairs_are_found_in_any_order() -> None:
    pairs = pairs_of(1.0)
    some = np.random.default_rng(2).permutation(len(pairs))[:300]
    one, other = same_pairs(pairs, pairs.at(some))
    assert len(one) == len(other) == 300
    assert one.cost.tolist() == other.cost.tolist()


def test_pairs_that_contradict_each_other_are_refused() -> None:
    pairs = pairs_of(1.0)
    turned = PairCosts(
        pairs.cost, ~pairs.linked, pairs.source_a, pairs.source_b, pairs.item_a, pairs.item_b
    )
    with pytest.raises(InputError, match="linked in one evaluation"):
        same_pairs(pairs, turned)


def test_without_one_kind_of_pair_there_is_no_change() -> None:
    pairs = pairs_of(1.0)
    found = cllr_change(pairs, pairs.at(pairs.linked), rng=np.random.default_rng(1))
    assert np.isnan(found.value)
    assert found.interval is None


# -- disturbances --------------------------------------------------------------------------


def test_redrawn_values_have_the_mean_and_the_spread_they_should_and_stay_positive() -> None:
    wide = ProfileSet(np.full((4000, 1), 5.0), ["A"], [f"p{k}" for k in range(4000)])
    found = redrawn(wide, rng=np.random.default_rng(1), rsd=0.5).values
    assert found.min() > 0
    assert found.mean() == pytest.approx(5.0, rel=0.03)
    assert found.std() == pytest.approx(2.5, rel=0.05)


def test_known_uncertainties_are_used_and_other_cells_stay() -> None:
    profiles = ProfileSet(
        [[-1.0, 2.0, 0.0], [3.0, 4.0, 5.0]],
        ["A", "B", "C"],
        ["x", "y"],
        uncertainty=[[0.1, np.nan, np.nan], [np.nan, 0.2, np.nan]],
    )
    found = redrawn(profiles, rng=np.random.default_rng(1))
    changed = found.values != profiles.values
    assert changed.tolist() == [[True, False, False], [False, True, False]]
    assert found.status[0, 2] == Status.BELOW_LOD
    assert can_be_redrawn(profiles)
    assert not can_be_redrawn(ProfileSet([[1.0]], ["A"], ["x"]))


@pytest.mark.parametrize("rsd", [-0.1, True, "5 %"])
def test_a_relative_uncertainty_that_means_nothing_is_refused(rsd: object) -> None:
    with pytest.raises(InputError, match="rsd"):
        redrawn(batches(), rng=np.random.default_rng(1), rsd=rsd)  # type: ignore[arg-type]


def test_a_share_of_a_negative_value_is_refused() -> None:
    with pytest.raises(InputError, match="negative"):
        redrawn(ProfileSet([[-1.0]], ["A"], ["x"]), rng=np.random.default_rng(1), rsd=0.1)


def test_as_many_values_are_mistyped_as_are_named_and_all_are_impurities() -> None:
    profiles = batches()
    found, named = mistyped(profiles, rng=np.random.default_rng(1), share=0.1)
    rows, columns = np.nonzero(found.values != profiles.values)
    assert len(named) == round(0.1 * len(profiles))
    assert {
        (profiles.ids[r], profiles.target_names[c]) for r, c in zip(rows, columns, strict=True)
    } == set(named)
    ratio = (found.values / profiles.values)[rows, columns]
    assert np.allclose(np.abs(np.log10(ratio)), 1.0)
    roles = {t.name: t.role for t in profiles.targets}
    assert {roles[target] for _, target in named} == {"impurity"}


# -- halves --------------------------------------------------------------------------------


def test_sources_are_dealt_into_halves_and_specimens_stay_whole() -> None:
    profiles = batches()
    halves = with_halves(profiles, RULE)
    texts = halves.column(HALF_COLUMN)
    assert len(set(texts)) == 2 * N_SOURCES
    assert {texts.count(t) for t in set(texts)} == {2}
    assert all(
        str(t).startswith(f"{s} / ")
        for t, s in zip(texts, profiles.column("batch_id"), strict=True)
    )
    one_specimen = profiles.with_column("specimen_id", list(profiles.column("batch_id")))
    assert len(set(with_halves(one_specimen, RULE).column(HALF_COLUMN))) == N_SOURCES

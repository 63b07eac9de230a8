"""What a search is prepared with, and the one rule that decides: both finders stand on them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drugsig import METRICS, ProfileSet, compare, links
from drugsig.comparison.fast_forms import scipy_form
from drugsig.comparison.index import build_index
from drugsig.comparison.link_rule import LinkRule
from drugsig.comparison.links import Links
from drugsig.comparison.prepared import PreparedProfiles, PreparedReference, find_duplicates
from drugsig.errors import DrugsigWarning

FREE = tuple(name for name, metric in METRICS.items() if not metric.needs_fit)
SCIPY = ("manhattan", "canberra", "canberra_r")


def made(values, *, tag: str = "p") -> ProfileSet:
    values = np.asarray(values, dtype=float)
    n, p = values.shape
    return ProfileSet(values, [f"t{k}" for k in range(p)], [f"{tag}{k}" for k in range(n)])


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return function(*arguments, **options)


# Few values, so that profiles are constant, empty, alike and there several times.
awkward = hnp.arrays(
    float,
    st.tuples(st.integers(1, 9), st.just(5)),
    elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, np.nan]),
)


@given(values=awkward, others=awkward, name=st.sampled_from(FREE), same=st.booleans())
def test_undefined_pairs_are_counted_without_scoring_them(values, others, name, same) -> None:
    metric = METRICS[name]
    questioned = made(values)
    reference = questioned if same else made(others, tag="r")
    a = PreparedProfiles.of(questioned, metric)
    b = a if same else PreparedProfiles.of(reference, metric)
    known = PreparedReference.of(b, b.defined(a))
    counted = known.undefined_with(a.defined(b), a.whole, same=same)
    scores = quietly(compare, questioned, reference, metric=metric, min_measured=1).scores
    missing = np.isnan(scores[:, b.whole])
    if same:
        missing &= np.arange(len(a))[:, None] != np.flatnonzero(b.whole)
    np.testing.assert_array_equal(counted, np.where(a.whole, missing.sum(axis=1), 0))


@given(
    columns=hnp.arrays(float, (2, 12), elements=st.sampled_from([0.0, -0.0, 1.0])),
    most=st.none() | st.integers(1, 3),
)
def test_duplicates_are_those_that_are_equal(columns, most) -> None:
    found = find_duplicates(columns)
    equal = (columns[:, :, None] == columns[:, None, :]).all(axis=0)
    if found is None:
        assert equal.sum() == 12
        return
    np.testing.assert_array_equal(np.sort(found.members), np.arange(12))
    index = np.arange(len(found.counts))
    first, second, of = found.pairs_of(index)
    assert equal[first, second].all()
    assert (first != second).all()
    assert len(first) == len(of) == (equal.sum() - 12) // 2
    members, times = found.members_of(index, most=most)
    assert len(members) == times.sum()
    np.testing.assert_array_equal(times, np.minimum(found.counts, most or 12))


def sides(gaps: bool) -> tuple[ProfileSet, ProfileSet]:
    rng = np.random.default_rng(3)
    values = np.round(rng.gamma(0.7, 2.0, (60, 7)), 1)
    values[rng.random(values.shape) < 0.2] = 0.0
    values[40:50] = values[:10]
    if gaps:
        values[rng.random(values.shape) < 0.04] = np.nan
    return made(values[:25]), made(values[25:], tag="r")


def every_way(
    questioned: ProfileSet, reference: ProfileSet, name: str, limit: float
) -> list[Links]:
    """Links within one set, between two, and from an index."""
    index = build_index(reference, metric=name)
    return [
        quietly(links, questioned, metric=name, threshold=limit),
        quietly(links, questioned, reference, metric=name, threshold=limit),
        quietly(index.links, questioned, threshold=limit),
    ]


def some_threshold(questioned: ProfileSet, reference: ProfileSet, name: str) -> float:
    scores = quietly(compare, questioned, reference, metric=name).scores
    scores = np.sort(scores[~np.isnan(scores)])
    rank = len(scores) // 12
    return float(scores[::-1][rank] if METRICS[name].is_similarity else scores[rank])


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("gaps", [False, True])
def test_nothing_but_the_rule_makes_a_link(name: str, gaps: bool, monkeypatch) -> None:
    a, b = sides(gaps)
    limit = some_threshold(a, b, name)
    wanted = every_way(a, b, name, limit)
    assert all(len(found) for found in wanted[1:])
    # A rule to which every score of a block may be a link finds the same links.
    with monkeypatch.context() as patch:
        patch.setattr(LinkRule, "may_meet", lambda self, scores, *sizes: ~np.isnan(scores))
        assert every_way(a, b, name, limit) == wanted

    def none(self, rows, columns, scores, sizes):
        return rows[:0], columns[:0], scores[:0]

    monkeypatch.setattr(LinkRule, "_kept", none)
    assert [len(found) for found in every_way(a, b, name, limit)] == [0, 0, 0]


# -- the form of scipy ---------------------------------------------------------------------------


wide = st.floats(-1e150, 1e150, allow_subnormal=True) | st.sampled_from([0.0, -0.0, np.nan])


@given(
    a=hnp.arrays(float, st.tuples(st.just(6), st.integers(1, 5)), elements=wide),
    b=hnp.arrays(float, st.tuples(st.just(6), st.integers(1, 5)), elements=wide),
    name=st.sampled_from(SCIPY),
)
def test_scipy_adds_as_the_definition_does(a, b, name: str) -> None:
    metric = METRICS[name]
    form = scipy_form(metric.kernel.complete)
    assert form is not None
    with np.errstate(all="ignore"):
        found = form(np.ascontiguousarray(a.T), np.ascontiguousarray(b.T))
        wanted = metric.kernel.complete(a[:, :, None], b[:, None, :])
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", SCIPY)
def test_a_scipy_that_added_otherwise_would_not_be_asked(name: str, monkeypatch) -> None:
    import scipy.spatial.distance

    def otherwise(x, y, name):
        return np.abs(x[:, None, ::-1] - y[None, :, ::-1]).sum(axis=2)

    complete = METRICS[name].kernel.complete
    assert scipy_form(complete) is not None
    scipy_form.cache_clear()
    monkeypatch.setattr(scipy.spatial.distance, "cdist", otherwise)
    try:
        assert scipy_form(complete) is None
    finally:
        scipy_form.cache_clear()


# -- the order of links --------------------------------------------------------------------------


@given(
    values=hnp.arrays(float, st.tuples(st.integers(2, 30), st.just(3)), elements=st.integers(0, 2)),
    name=st.sampled_from(["manhattan", "cosine"]),
)
def test_equal_scores_are_in_the_order_of_the_profiles(values, name: str) -> None:
    limit = 6.0 if name == "manhattan" else 0.0
    found = quietly(links, made(values), metric=name, threshold=limit, min_measured=1)
    # Scores of such values are equal, or differ by far more than rounding does.
    keys = np.round(-found.scores if name == "cosine" else found.scores, 9)
    order = np.lexsort((found.columns, found.rows, keys))
    np.testing.assert_array_equal(order, np.arange(len(found)))

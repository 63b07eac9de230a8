"""Rounding decides nothing: links, neighbours and indexes against exact arithmetic on the text."""

from __future__ import annotations

import itertools
from decimal import Decimal
from functools import lru_cache

import numpy as np
import pytest

from drugsig import METRICS, ProfileSet, build_index, compare, links, nearest, pretreat
from drugsig.comparison import Metric, fast_forms
from drugsig.comparison.link_search import LinkSearch
from drugsig.comparison.metric_fit import MetricFit
from drugsig.comparison.search import near_pairs, query_tree
from tests.comparison import exact
from tests.comparison.oracles import usable

P = 6

# With pairs of profiles that are the same but for their unit, every score occurs many times, each
# time rounded in another way.
UNITS = ("1", "3", "0.7", "11", "0.013")

# What differs by less is equal.
SAME = Decimal("1e-25")

SUMMED = "sum"
ROOTED = "sum | fourth_root"
LOGGED = "sum | log10(scale=1000)"
RECIPES = (SUMMED, ROOTED, LOGGED)

without_warnings = pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")


@lru_cache
def texts(p: int = P, n: int = 4) -> tuple[tuple[str, ...], ...]:
    """Return the cells of a table: few profiles, each in several units."""
    rng = np.random.default_rng(20261130)
    rows = []
    for _ in range(n):
        row = [Decimal(int(x)) / 100 for x in rng.integers(1, 4000, p)]
        row[int(rng.integers(p))] = Decimal(0)
        rows += [tuple(str(x * Decimal(unit)) for x in row) for unit in UNITS]
    return tuple(rows)


def profiles_of(rows, *, tag: str = "s") -> ProfileSet:
    values = [[float(cell) if cell else np.nan for cell in row] for row in rows]
    return ProfileSet(
        values, [f"t{k}" for k in range(len(rows[0]))], [f"{tag}{k:03d}" for k in range(len(rows))]
    )


def without_zeros(rows):
    return tuple(tuple("0.5" if Decimal(cell) == 0 else cell for cell in row) for row in rows)


@lru_cache
def case(name: str, recipe: str):
    """Return treated profiles, the metric, exact scores and exact sizes of all pairs."""
    rows = texts()
    if name == "aitchison" or "clr" in recipe or "pairwise" in recipe:
        rows = without_zeros(rows)
    profiles = pretreat(profiles_of(rows), recipe)
    metric = usable(name, len(profiles.targets))
    if metric.fit is not None:
        metric = fitted_like(metric, profiles)
    cells = [exact.treated(exact.as_cells(row), recipe) for row in rows]
    pairs = list(itertools.combinations(range(len(rows)), 2))
    scores = {pair: exact.score(metric, *(cells[k] for k in pair)) for pair in pairs}
    sizes = {pair: exact.size_of(metric, *(cells[k] for k in pair)) for pair in pairs}
    return profiles, metric, scores, sizes


def fitted_like(metric: Metric, profiles: ProfileSet) -> Metric:
    """Return a fitted metric with the same numbers, on the scale of the profiles."""
    assert metric.fit is not None
    parameters = dict(metric.fit.parameters)
    if metric.name == "within_sd":
        # Limits at differences that occur, as written.
        parameters["k"] = 1.0
        parameters["deviations"] = [
            float(abs(profiles.values[0, k] - profiles.values[7 + k, k]))
            for k in range(len(profiles.targets))
        ]
    fit = MetricFit.make(
        metric.name, profiles, parameters=parameters, origin=dict(metric.fit.origin)
    )
    return METRICS[metric.name].with_fit(fit)


def thresholds(metric: Metric, scores) -> list[float]:
    """Return scores that occur, from the most alike to the least."""
    found = sorted({s.quantize(SAME) for s in scores.values() if s is not None})
    inside = [float(s) for s in found if metric.low <= s <= metric.high]
    return inside[:: max(1, len(inside) // 5)]


def beyond(metric: Metric, limit: float, score: Decimal) -> Decimal:
    """Return how far a score is on the unlike side of a threshold."""
    return Decimal(limit) - score if metric.is_similarity else score - Decimal(limit)


def wanted(metric: Metric, scores, sizes, limit: float):
    """Return the links, and the pairs too near beyond the threshold for anything to be said."""
    links_, open_ = set(), set()
    for pair, score in scores.items():
        if score is None:
            continue
        apart, slack = beyond(metric, limit, score), exact.SLACK * sizes[pair]
        if apart <= slack / 4:
            links_.add(pair)
        elif apart < 2 * slack * (1 - exact.SLACK):
            open_.add(pair)
    return links_, open_


def stricter(metric: Metric, limit: float, by: float) -> float:
    return limit + by if metric.is_similarity else limit - by


def as_pairs(found) -> set[tuple[int, int]]:
    ends = np.sort(np.stack([found.rows, found.columns]), axis=0)
    return {(int(a), int(b)) for a, b in ends.T}


ways = pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
every = pytest.mark.parametrize(
    ("name", "recipe"),
    [
        (name, recipe)
        for name in METRICS
        for recipe in RECIPES
        # A logarithm may be negative, and some metrics have no meaning for that.
        if not (recipe == LOGGED and METRICS[name].name == "aitchison")
    ]
    + [("euclidean", "clr"), ("manhattan", "clr"), ("pearson", "clr")]
    + [("spearman_distance", "pairwise_log_ratios"), ("euclidean", "pairwise_log_ratios")],
)


@pytest.fixture
def ready_for(compiled: bool, monkeypatch):
    """Let compiled code be used for a few profiles already, or not at all."""
    modules = (fast_forms, near_pairs, query_tree)
    if compiled:
        pytest.importorskip("numba")
    for module in modules:
        if compiled:
            monkeypatch.setattr(module, "_COMPILED_FROM", 1)
        else:
            monkeypatch.setattr(module, "has_numba", lambda: False)


@without_warnings
@ways
@every
def test_links_are_those_of_exact_arithmetic(name: str, recipe: str, ready_for) -> None:
    profiles, metric, scores, sizes = case(name, recipe)
    index = build_index(profiles, metric=metric)
    comparison = compare(profiles, metric=metric)
    for limit in thresholds(metric, scores):
        slack = float(max(exact.SLACK * size for size in sizes.values()))
        for tried in (limit, stricter(metric, limit, 2.0 * slack)):
            if not metric.low <= tried <= metric.high:
                continue
            sure, unsure = wanted(metric, scores, sizes, tried)
            found = {
                "compare": comparison.links(tried),
                "links": links(profiles, metric=metric, threshold=tried),
                "index": index.links(profiles, threshold=tried),
            }
            for method in ("pruning", "blocks"):
                search = LinkSearch.of(
                    profiles, None, metric=metric, threshold=tried, method=method, leaf=3
                )
                parts = [search.expanded(search.run(k)) for k in range(search.n_tasks)]
                got = {
                    (min(a, b), max(a, b))
                    for part in [*parts, search.among_duplicates()]
                    for a, b in zip(part.rows.tolist(), part.columns.tolist(), strict=True)
                }
                assert got - unsure == sure - unsure, (method, tried)
            for way, those in found.items():
                got = {(a, b) for a, b in as_pairs(those) if a != b}
                assert got - unsure == sure - unsure, (way, tried)


@without_warnings
@ways
@every
def test_equal_scores_are_one_rank(name: str, recipe: str, ready_for) -> None:
    profiles, metric, scores, _ = case(name, recipe)
    n = len(profiles)
    for k in (1, 3, 7, 12):
        ranked = nearest(profiles, metric=metric, k=k)
        for row in range(n):
            others = [
                (scores[min(row, other), max(row, other)], other)
                for other in range(n)
                if other != row and scores[min(row, other), max(row, other)] is not None
            ]
            assert list(ranked.positions[row][: len(others)]) == in_order(metric, others)[:k]


def in_order(metric: Metric, others) -> list[int]:
    """Return the others, the most alike first; those that are equal by their places."""
    keyed = sorted((-s if metric.is_similarity else s, other) for s, other in others)
    out: list[int] = []
    for _, some in itertools.groupby(keyed, key=lambda pair: pair[0].quantize(SAME)):
        out += sorted(other for _, other in some)
    return out


@without_warnings
@every
def test_the_declared_error_and_size_hold(name: str, recipe: str) -> None:
    profiles, metric, scores, sizes = case(name, recipe)
    comparison = compare(profiles, metric=metric)
    rows, columns = (np.array(side) for side in zip(*scores, strict=True))
    slack = np.broadcast_to(
        metric.slack(comparison.scores[rows, columns], comparison.sizes(rows, columns)), rows.shape
    )
    for pair, got in zip(scores, slack.tolist(), strict=True):
        assert got == pytest.approx(float(exact.SLACK * sizes[pair]), rel=0.5)
    # Four times the error is within the slack, so that equal scores are told to be equal.
    for (a, b), score in scores.items():
        if score is not None:
            off = abs(Decimal(float(comparison.scores[a, b])) - score)
            assert 4 * off <= exact.SLACK * sizes[a, b], (a, b)


@without_warnings
def test_two_targets_are_one_number() -> None:
    # Shares that are written with two digits: the distance is twice the difference of the first.
    shares = range(50, 71)
    profiles = pretreat(profiles_of([(str(k), str(100 - k)) for k in shares]), "sum")
    for name, per_cent in (("manhattan", 50.0), ("euclidean", 50.0 * np.sqrt(2.0))):
        for apart in (1, 3, 5, 7):
            found = compare(profiles, metric=name).links(apart / per_cent)
            assert as_pairs(found) == {
                (a, b) for a, b in itertools.combinations(range(len(shares)), 2) if b - a <= apart
            }, (name, apart)

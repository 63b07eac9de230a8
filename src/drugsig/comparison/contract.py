"""`check_metric`: what every metric promises, tried out; `register_metric`: a metric of one's own.

Links, thresholds and neighbours rest on these promises. A metric that breaks one would lose links
or find others in another order of the profiles, so it is not registered.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drugsig._check import one_line_text
from drugsig.comparison.kernels import Kernel
from drugsig.comparison.link_rule import LinkRule
from drugsig.comparison.metric import Metric, get_metric, register
from drugsig.comparison.search.pair_finder import PairFinder
from drugsig.errors import ComparisonError

__all__ = ["check_metric", "register_metric"]

Floats = NDArray[np.float64]

_PROFILES = 12
_TARGETS = 7
_SEED = 20240229

# How far a threshold may move on its way to the kernel's value and back.
_REVERTED = 1e-12


def register_metric(metric: Metric, /, *, replace: bool = False) -> Metric:
    """Register a metric of one's own, so that it can be named as drugsig's can.

    Parameters
    ----------
    metric : Metric
        It is tried out first, see `check_metric`.
    replace : bool
        Whether it may take the place of a metric registered before under its name. The metrics of
        drugsig itself are never replaced.

    Returns
    -------
    Metric
        The registered metric.

    Raises
    ------
    ComparisonError
        If it breaks a promise, or its name is taken.

    Notes
    -----
    The registry lives as long as the program. Workers need not know it: a metric travels to them
    with its functions, which must therefore stand in a module, not in a lambda.
    """
    if not metric.needs_fit:
        check_metric(metric)
    return register(metric, replace=replace)


def check_metric(metric: Metric | str, /) -> None:
    """Try out what every metric promises.

    Identical profiles score the declared value exactly; the score is symmetric and the same in
    every arrangement of pairs, to the bit; profiles with every target measured score the same by
    both forms of the kernel; a value that was not measured is never read; scores lie in the range;
    only a profile that has no score with itself has none with others.

    Parameters
    ----------
    metric : Metric or str
        Fitted, if it needs fitting.

    Raises
    ------
    ComparisonError
        If a promise is broken; the message names every one.
    """
    metric = get_metric(metric)
    if metric.needs_fit:
        raise ComparisonError(metric.not_fitted_message)
    broken = list(_entry_faults(metric))
    if not broken:
        with np.errstate(all="ignore"):
            broken = list(dict.fromkeys(_score_faults(metric)))
    if broken:
        raise ComparisonError(
            f"metric '{metric.name}' breaks what every metric promises: {'; '.join(broken)}. See "
            "the page 'Add a metric' of the documentation."
        )


def _entry_faults(metric: Metric) -> Iterator[str]:
    one_line_text(metric.name, what="the name of a metric")
    if metric.kind not in ("similarity", "distance"):
        yield f"its kind is {metric.kind!r}, not 'similarity' or 'distance'"
        return
    alike = metric.high if metric.is_similarity else metric.low
    if not metric.low < metric.high or metric.self_value != alike:
        yield (
            f"identical profiles are to score {metric.self_value:g}, which is not the most alike "
            f"end of the range {metric.low:g} to {metric.high:g}"
        )
    if not (metric.formula and metric.zero_rule and metric.when_partial):
        yield "its formula, its rule for 0/0 or its rule for partly measured profiles is empty"
    if metric.min_measured < 1:
        yield f"the least number of targets measured is {metric.min_measured}, not 1 or more"


def _probes(metric: Metric) -> Iterator[Floats]:
    """Yield profiles to try, target first: positive, with zeros and ties, with negative values."""
    p = _TARGETS if metric.fit is None else len(metric.fit.targets)
    p = max(p, metric.min_measured)
    rng = np.random.default_rng(_SEED)
    positive = rng.gamma(0.8, 3.0, (p, _PROFILES)) + 0.01
    positive[:, -1] = positive[:, 0]
    yield positive
    sparse = np.round(positive, 1)
    sparse[rng.random(sparse.shape) < 0.3] = 0.0
    sparse[:, -1] = sparse[:, 0]
    yield sparse
    empty = sparse.copy()
    empty[:, :2] = 0.0
    empty[:, 2] = 1.0
    empty[:, -1] = empty[:, 0]
    yield empty
    refused = metric.fitting is not None and metric.fitting.refuse is not None
    if not metric.nonnegative and not refused:
        yield positive - positive.mean()


def _score_faults(metric: Metric) -> Iterator[str]:
    kernel = metric.kernel
    for values in _probes(metric):
        before = values.copy()
        x = kernel.prepare(values)
        if x.shape != values.shape:
            yield "`prepare` changes the shape of its profiles"
            return
        transformed = kernel.transform(x)
        whole = kernel.complete(transformed[:, :, None], transformed[:, None, :])
        everything = np.ones((len(x), _PROFILES, _PROFILES), dtype=bool)
        masked = kernel.masked(x[:, :, None], x[:, None, :], everything)
        if whole.shape != masked.shape or whole.shape != everything.shape[1:]:
            yield "a block of pairs does not give one score a pair"
            return
        if whole.dtype != np.float64 or masked.dtype != np.float64:
            yield "its scores are not float64"
        if not _same(whole, masked):
            yield "the two forms of its kernel differ where every target was measured"
        yield from _faults_of_scores(metric, metric.convert(whole.copy()), "")
        yield from _arrangement_faults(kernel, transformed, whole)
        if not _spares_gaps(kernel, transformed):
            yield "a profile that is not transformed, and so NaN, has a score by the first form"
        yield from _partial_faults(metric, x)
        if not _same(values, before):
            yield "it changes the values it is given"
        yield from _undefined_faults(whole, values)
        yield from _space_faults(metric, transformed, whole)


def _same(a: Floats, b: Floats) -> bool:
    return np.array_equal(a, b, equal_nan=True)


def _faults_of_scores(metric: Metric, scores: Floats, where: str) -> Iterator[str]:
    if not _same(scores, scores.T):
        yield f"a with b and b with a differ{where}"
    identical = np.append(np.diag(scores), scores[0, -1] if not where else np.nan)
    identical = identical[~np.isnan(identical)]
    if np.any(identical != metric.self_value):
        yield f"identical profiles do not score {metric.self_value:g} exactly{where}"
    defined = scores[~np.isnan(scores)]
    if ((defined < metric.low) | (defined > metric.high)).any():
        yield f"scores lie outside {metric.low:g} to {metric.high:g}{where}"
    finite = defined[np.isfinite(defined)]
    back = np.array([float(metric.convert(np.array([metric.revert(s)]))[0]) for s in finite])
    if not np.allclose(back, finite, rtol=_REVERTED, atol=_REVERTED * max(1.0, metric.self_value)):
        yield "`revert` does not undo `convert`"


def _arrangement_faults(kernel: Kernel, transformed: Floats, whole: Floats) -> Iterator[str]:
    """Look for scores that depend on what else is scored with them."""
    rows, columns = (x.ravel() for x in np.indices(whole.shape))
    listed = kernel.complete(transformed[:, rows], transformed[:, columns])
    one = kernel.complete(transformed[:, 3:4, None], transformed[:, None, :])
    if not _same(listed, whole.ravel()) or not _same(one[0], whole[3]):
        yield "a score depends on the arrangement of the pairs"


def _spares_gaps(kernel: Kernel, transformed: Floats) -> bool:
    """Say whether profiles with gaps, which are NaN among the transformed ones, have no score."""
    some = transformed.copy()
    some[:, 3] = np.nan
    scores = kernel.complete(some[:, :, None], some[:, None, :])
    return bool(np.isnan(scores[3]).all() and np.isnan(scores[:, 3]).all())


def _partial_faults(metric: Metric, x: Floats) -> Iterator[str]:
    rng = np.random.default_rng(_SEED + 1)
    measured = rng.random(x.shape) > 0.2
    measured[:, 3] = True
    both = measured[:, :, None] & measured[:, None, :]
    unknown = np.where(measured, x, np.nan)
    wild = np.where(measured, x, 1e6)
    scores = metric.kernel.masked(unknown[:, :, None], unknown[:, None, :], both)
    again = metric.kernel.masked(wild[:, :, None], wild[:, None, :], both)
    if not _same(scores, again):
        yield "a value that was not measured is read"
    yield from _faults_of_scores(metric, metric.convert(scores.copy()), " with targets missing")
    none = metric.kernel.masked(x[:, :1], x[:, 1:2], np.zeros((len(x), 1), dtype=bool))
    if not np.isnan(none).all():
        yield "a pair with no target measured in both has a score"


def _space_faults(metric: Metric, transformed: Floats, whole: Floats) -> Iterator[str]:
    """Look for links that a search in the space of the kernel loses or finds twice."""
    if metric.kernel.space is None:
        return
    usable = np.flatnonzero(~np.isnan(np.diag(whole)))
    scores = metric.convert(whole[np.ix_(usable, usable)])
    for threshold in np.unique(scores[np.isfinite(scores)]).tolist():
        rule = LinkRule(metric, threshold)
        search = PairFinder.of(transformed[:, usable], None, rule, method="pruning", leaf=2)
        found = np.zeros(scores.shape, dtype=int)
        for task in search.tasks:
            rows, columns, _ = search.find(*task)
            np.add.at(found, (np.minimum(rows, columns), np.maximum(rows, columns)), 1)
        if not np.array_equal(found, np.triu(metric.meets(scores, threshold), k=1)):
            yield (
                "a search loses links: the score does not grow with the distance in the space of "
                "its kernel, or `revert` does not give the least alike value that meets a "
                "threshold. Leave the space out: dataclasses.replace(kernel, space=None)"
            )
            return


def _undefined_faults(whole: Floats, values: Floats) -> Iterator[str]:
    """Look for pairs without a score whose profiles have one each with themselves."""
    alone = np.isnan(np.diag(whole))
    empty = ~values.any(axis=0)
    allowed = np.logical_or.outer(alone, alone) | np.logical_and.outer(empty, empty)
    if np.any(np.isnan(whole) & ~allowed):
        yield "two profiles that have a score with themselves have none with each other"

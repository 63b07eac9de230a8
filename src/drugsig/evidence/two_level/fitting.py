"""Fitting the two-level model to profiles of known source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import ArrayLike

from drugsig._check import choose, float_matrix, one_line_text, unique_text
from drugsig._notes import Note, emit
from drugsig.errors import DrugsigWarning, InputError, SmallSampleWarning
from drugsig.evidence.two_level.conventions import (
    CONVENTIONS,
    DEFAULT_CONVENTIONS,
    REPLICATE_LEVELS,
    TwoLevelOptions,
)
from drugsig.evidence.two_level.estimate import ENOUGH_SOURCES, estimate
from drugsig.evidence.two_level.model import TwoLevelModel
from drugsig.evidence.two_level.sums import sum_by_source

__all__ = [
    "DirectionsLeftOut",
    "FewReplicatedSources",
    "UnbalancedCounts",
    "fit_two_level",
    "two_level_model",
    "weaknesses",
]


@dataclass(frozen=True)
class FewReplicatedSources(Note):
    """There are few sources with replicates for so many targets or components.

    Keep fewer targets, add sources with replicates, and calibrate and bound on other sources.
    """

    code: ClassVar[str] = "few-replicated-sources"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    n_sources: int
    directions: int
    needed: int

    def __str__(self) -> str:
        return (
            f"{self.n_sources} sources with replicates are few for {self.directions} targets or "
            f"components: the covariances are poorly known below {self.needed}, and LRs come out "
            "too extreme. Calibrate and bound them on other sources."
        )


@dataclass(frozen=True)
class DirectionsLeftOut(Note):
    """In some directions sources differ no more than replicates do.

    Nothing need be done. Where most directions are left out, these targets do not tell the sources
    apart.
    """

    code: ClassVar[str] = "directions-left-out"
    left_out: int
    directions: int

    def __str__(self) -> str:
        return (
            f"the sources differ no more than replicates do in {self.left_out} of "
            f"{self.directions} directions; these are left out, as both propositions give them "
            "the same probability"
        )


@dataclass(frozen=True)
class UnbalancedCounts(Note):
    """The covariance between sources is biased: its formula is for equal numbers of replicates.

    Take ``between_covariance="unweighted"`` or ``"weighted"``, or keep as many profiles of every
    source.
    """

    code: ClassVar[str] = "unbalanced-counts"
    convention: str
    least: int
    most: int

    def __str__(self) -> str:
        return (
            f"The covariance between sources by '{self.convention}' holds for equal numbers of "
            f"profiles, and the sources have {self.least} to {self.most}: it is biased, and so is "
            "every LR. Take between_covariance='unweighted' or 'weighted'."
        )


def fit_two_level(
    values: ArrayLike,
    sources: Sequence[str],
    /,
    *,
    replicate_level: str,
    features: Sequence[str] | None = None,
    between: str = "kernel",
    conventions: str = DEFAULT_CONVENTIONS,
    within: str | None = None,
    between_covariance: str | None = None,
    bandwidth: str | float | None = None,
    shrinkage: str = "none",
    components: int | float | None = None,
    error_share: float = 0.0,
) -> TwoLevelModel:
    """Fit the two-level random effects model of Aitken and Lucy (2004).

    Profiles of one source vary normally around its mean with covariance U, the same for all
    sources; the means vary between sources with covariance C, by a normal density or by a kernel
    at the mean of every source.

    Parameters
    ----------
    values : array_like, shape (n, p)
        Profiles of known source, pretreated as those that will be compared.
    sources : sequence of str, length n
        The source of each.
    replicate_level : {"injection", "preparation", "unit", "specimen"}
        What the profiles of one source repeat. The variation within sources is that of this
        level, so the model is for propositions and comparisons at this level only.
    features : sequence of str, length p, optional
        The names of the targets; by default "target 1", "target 2" ...
    between : {"kernel", "normal"}
        The density of source means.
    conventions : str
        A name of `CONVENTIONS`, by paper or by package, version and function: a set of choices for
        the three that follow. That of the R package comparison is for balanced data only.
    within : {"pooled", "averaged"}, optional
        The covariance within sources, instead of that of `conventions`.
    between_covariance : {"unweighted", "weighted", "by_mean_count"}, optional
        The covariance between sources, likewise.
    bandwidth : {"aitken_lucy", "silverman"} or float, optional
        The width of the kernel, likewise; a number is the width itself.
    shrinkage : {"none", "schafer_strimmer"}
        Whether the within correlations are drawn to zero, as far as the data ask for it.
    components : int or float, optional
        Reduce the profiles to as many principal components of the source means, or to as many as
        hold this share of their variance.
    error_share : float
        The share of items taken to hold a gross error, such as a mistyped value; it keeps one
        wrong value from deciding, see `drugsig.evidence.two_level.pair_ratios`.

    Returns
    -------
    TwoLevelModel
        With `log10_lr`, `log10_lr_pairs`, `without` and `terms`.

    Raises
    ------
    InputError
        If values are missing, there are too few sources, a target does not vary, or a covariance
        is singular.

    Warns
    -----
    SmallSampleWarning
        If there are fewer than ten sources with replicates for each target or component.
    DataWarning
        If sources differ no more than replicates in some direction, which is then left out; or
        if the covariance between sources is one for equal numbers of replicates and they differ.

    Notes
    -----
    C. G. G. Aitken and D. Lucy, Evaluation of trace evidence in the form of multivariate data,
    Applied Statistics 53 (2004) 109-122.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> means = np.repeat(rng.normal(size=(40, 2)), 3, axis=0)
    >>> batches = [f"batch {k // 3:02d}" for k in range(120)]
    >>> measured = means + rng.normal(scale=0.1, size=means.shape)
    >>> model = fit_two_level(measured, batches, replicate_level="unit", between="normal")
    >>> model.n_sources, model.n_profiles
    (40, 120)
    >>> same_batch = model.log10_lr(measured[:1], measured[1:3])
    >>> two_batches = model.log10_lr(measured[:3], measured[3:6])
    >>> same_batch > 0 > two_batches
    True
    """
    model = two_level_model(
        values,
        sources,
        replicate_level=replicate_level,
        features=features,
        between=between,
        conventions=conventions,
        within=within,
        between_covariance=between_covariance,
        bandwidth=bandwidth,
        shrinkage=shrinkage,
        components=components,
        error_share=error_share,
    )
    emit(weaknesses(model))
    return model


def two_level_model(
    values: ArrayLike,
    sources: Sequence[str],
    /,
    *,
    replicate_level: str,
    features: Sequence[str] | None = None,
    between: str = "kernel",
    conventions: str = DEFAULT_CONVENTIONS,
    within: str | None = None,
    between_covariance: str | None = None,
    bandwidth: str | float | None = None,
    shrinkage: str = "none",
    components: int | float | None = None,
    error_share: float = 0.0,
) -> TwoLevelModel:
    """Fit as `fit_two_level` does, and leave what `weaknesses` says to the caller.

    Parameters
    ----------
    values, sources, replicate_level, features, between, conventions, within, between_covariance
        As in `fit_two_level`.
    bandwidth, shrinkage, components, error_share
        As in `fit_two_level`.
    """
    table = float_matrix(values, what="values")
    n, p = table.shape
    if not p:
        raise InputError("a two-level model needs one target at least, got a table of no columns")
    names = _checked_sources(sources, n)
    targets = _checked_features(features, p)
    choose(replicate_level, REPLICATE_LEVELS, what="replicate level")
    chosen = CONVENTIONS[choose(conventions, tuple(CONVENTIONS), what="set of conventions")]
    options = TwoLevelOptions(
        between=between,
        within=chosen.within if within is None else within,
        between_covariance=(
            chosen.between_covariance if between_covariance is None else between_covariance
        ),
        bandwidth=chosen.bandwidth if bandwidth is None else bandwidth,
        shrinkage=shrinkage,
        components=components,
        error_share=error_share,
    )
    sums = sum_by_source(table, names)
    found = estimate(sums.totals, sums.origin, options, features=targets)
    return TwoLevelModel(
        options=options, features=targets, replicate_level=replicate_level, sums=sums, **vars(found)
    )


def _checked_sources(sources: Sequence[str], n: int) -> list[str]:
    names = [one_line_text(name, what="the source of a profile") for name in sources]
    if len(names) != n:
        raise InputError(f"one source a profile is needed: {n} profiles, {len(names)} sources")
    return names


def _checked_features(features: Sequence[str] | None, p: int) -> tuple[str, ...]:
    if features is None:
        return tuple(f"target {k + 1}" for k in range(p))
    names = unique_text(features, what="the name of a target")
    if len(names) != p:
        raise InputError(f"one name a target is needed: {p} columns, {len(names)} names")
    return names


def weaknesses(model: TwoLevelModel, /) -> tuple[Note, ...]:
    """Return what must be said of the data that a model was fitted to.

    Parameters
    ----------
    model : TwoLevelModel
        From `fit_two_level`.
    """
    notes: list[Note] = []
    directions = len(model.ratios) + model.n_dropped
    wanted = ENOUGH_SOURCES * directions
    if model.n_linked_sources < wanted:
        notes.append(FewReplicatedSources(model.n_linked_sources, directions, wanted))
    if model.n_dropped:
        notes.append(DirectionsLeftOut(model.n_dropped, directions))
    counts, convention = model.source_counts, model.options.between_covariance
    if convention == "by_mean_count" and counts.min() < counts.max():
        notes.append(UnbalancedCounts(convention, int(counts.min()), int(counts.max())))
    return tuple(notes)

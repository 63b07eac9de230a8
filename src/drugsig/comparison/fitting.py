"""`fit_metric`: give a metric the numbers it carries, learned from profiles of known source."""

from __future__ import annotations

from collections.abc import Sequence

from drugsig._check import choose, listed
from drugsig._notes import emit
from drugsig.comparison.metric import METRICS, Metric, get_metric
from drugsig.comparison.metric_fit import MetricFit
from drugsig.comparison.within_source import WithinSource
from drugsig.errors import ComparisonError
from drugsig.profiles.blocks import blocks_of
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["fit_metric"]


def fit_metric(
    metric: str | Metric,
    profiles: ProfileSet,
    /,
    *,
    source: str | Sequence[str],
    **options: float | None,
) -> Metric:
    """Fit a metric that measures differences by the variation within a source.

    Parameters
    ----------
    metric : str or Metric
        ``"mahalanobis"``, ``"within_sd"``, or another that needs fitting.
    profiles : ProfileSet
        Profiles of known source, pretreated as those to be compared will be. They are best not
        among the questioned: a metric knows the profiles it was fitted on.
    source : str or sequence of str
        The metadata columns that together name the source, at the level the proposition speaks of.
        Replicates of one specimen vary less than specimens of one batch.
    **options : float, optional
        ``shrinkage`` of the covariance for ``"mahalanobis"``, 0 to 1, chosen from the data by
        default; ``k`` for ``"within_sd"``, 2.8 by default.

    Returns
    -------
    Metric
        The same metric with its numbers, for `drugsig.compare` in place of a name. It is equal to
        another when the numbers are, travels to workers, and refuses profiles with other targets
        or another pretreatment. What it learned is in ``metric.fit``.

    Raises
    ------
    ComparisonError
        If the metric is not one that is fitted so, fewer than 2 sources have 2 profiles, or a
        target does not vary within any.
    UnknownNameError
        If there is no such metric or option.
    MetadataError
        If there is no such column.

    Warns
    -----
    SmallSampleWarning
        If the numbers rest on few profiles.
    DataWarning
        If profiles were left out, or a covariance is singular.

    Examples
    --------
    >>> profiles = ProfileSet(
    ...     [[5.0, 1.0], [5.2, 1.1], [2.0, 2.0], [2.1, 1.8], [8.0, 0.5], [7.7, 0.6]],
    ...     ["A", "B"],
    ...     {"profile_id": list("abcdef"), "batch_id": ["1", "1", "2", "2", "3", "3"]},
    ... )
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # three batches are too few for casework
    ...     metric = fit_metric("within_sd", profiles, source="batch_id")
    >>> metric.fit.origin["sources"], metric.fit.origin["dof"]
    (3, 3)
    """
    base = get_metric(metric)
    if base.fitting is None or base.fitting.learn is None:
        able = [m.name for m in METRICS.values() if m.fitting and m.fitting.learn]
        how = (
            "carries no numbers and is used as it is"
            if base.fitting is None
            else f"is made in another way: {base.fitting.call}"
        )
        raise ComparisonError(
            f"metric '{base.name}' {how}. Metrics that are fitted to profiles of known source: "
            f"{listed(able)}."
        )
    defaults = dict(base.fitting.options)
    for option in options:
        choose(option, tuple(defaults), what=f"option of metric '{base.name}':")
    joined = blocks_of(profiles)
    if joined:
        raise ComparisonError(
            f"profile set '{profiles.name}' joins {len(joined)} blocks, {listed(joined)}; a metric "
            "is fitted to one technique. Fit it to the profiles of one block, and combine: "
            "drugsig.combine_metrics({...}, profiles)."
        )
    others = [t.name for t in profiles.targets if t.role != "impurity"]
    if others:
        raise ComparisonError(
            f"profile set '{profiles.name}' holds targets that are not impurities: "
            f"{listed(others)}. Pretreat the profiles, or keep the impurities only: "
            "profiles.keep_targets([...])."
        )
    within = WithinSource.of(profiles, source=source)
    parameters, notes = base.fitting.learn(within, **{**defaults, **options})
    result = base.with_fit(
        MetricFit.make(
            base.name,
            profiles,
            parameters=parameters,
            origin={
                "source": list(within.source),
                "sources": within.n_sources,
                "used": within.n_profiles,
                "left_out": within.n_left_out,
                "dof": within.dof,
            },
            notes=(*within.notes, *notes),
        )
    )
    emit((*within.notes, *notes))
    return result

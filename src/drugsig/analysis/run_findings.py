"""What the runs of an analysis say together: their checks, and how alike the controls are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drugsig.analysis.inputs import RunsRead
from drugsig.comparison.dense import compared
from drugsig.comparison.links import Links
from drugsig.comparison.ties import merge_ties
from drugsig.errors import DrugsigError
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.profile_checks import check_profiles
from drugsig.quality.run_checks import check_runs
from drugsig.quality.run_findings import CONTROL, RunChecks

__all__ = ["ControlAgreement", "RunFindings", "find_in_runs"]

SEQUENCE_COLUMNS = ("sequence_id", "sequence")


@dataclass(frozen=True)
class ControlAgreement:
    """How alike the profiles of the control sample are, by the metric of the analysis.

    Parameters
    ----------
    ids : tuple of str
        The control runs that were compared.
    left_out : tuple of (str, str)
        Those that were not, and why.
    worst : float or None
        The score of the least alike pair; None without a pair that has a score.
    worst_pair : tuple of str
        Which pair that is.
    n_pairs, n_meet : int
        Pairs with a score, and how many of them meet the threshold.
    """

    ids: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    worst: float | None
    worst_pair: tuple[str, ...]
    n_pairs: int
    n_meet: int


@dataclass(frozen=True, eq=False)
class RunFindings(RunsRead):
    """What was extracted from a folder of runs, and what the runs say together.

    Parameters
    ----------
    protocol, tables, kinds, errors
        As in `RunsRead`.
    checks : RunChecks
        What the peak tables say together.
    agreement : ControlAgreement
        Of the control samples.
    """

    checks: RunChecks
    agreement: ControlAgreement


def find_in_runs(
    read: RunsRead,
    profiles: ProfileSet,
    links: Links,
    /,
    *,
    recipe: Recipe,
) -> RunFindings:
    """Return what runs say together: blanks, control samples, standards, flags.

    Parameters
    ----------
    read : RunsRead
        What was extracted.
    profiles : ProfileSet
        Of all runs, in the order of the tables.
    links : Links
        Of the samples; the control samples are compared in the same way.
    recipe : Recipe
        With everything frozen that it learned from the samples.
    """
    column = next((c for c in SEQUENCE_COLUMNS if c in profiles.metadata_columns), None)
    checks = check_runs(
        read.tables,
        ids=profiles.ids,
        kinds=read.kinds,
        sequences=None if column is None else profiles.column(column),
        rules=read.protocol.quality,
    )
    controls = tuple(r.profile_id for r in checks.of_kind(CONTROL))
    agreement = _agreement(controls, profiles, links, recipe)
    return RunFindings(read.protocol, read.tables, read.kinds, read.errors, checks, agreement)


def _agreement(
    every: tuple[str, ...],
    profiles: ProfileSet,
    samples: Links,
    recipe: Recipe,
) -> ControlAgreement:
    """Compare the control samples exactly as the samples were: recipe frozen, same metric."""
    left_out: list[tuple[str, str]] = []
    if every:
        found = check_profiles(profiles.select(every))
        left_out = [(c.profile_id, c.excluded) for c in found if c.excluded]
    ids = tuple(name for name in every if name not in dict(left_out))
    if len(ids) < 2:
        return ControlAgreement(ids, tuple(left_out), None, (), 0, 0)
    try:
        # Undefined scores and imputed cells are told by the result.
        treated, _ = pretreated(profiles.select(ids), recipe)
        comparison = compared(treated, metric=samples.metric, min_measured=samples.min_measured)
    except DrugsigError as error:
        why = f"cannot be compared: {error}"
        return ControlAgreement((), (*left_out, *((name, why) for name in ids)), None, (), 0, 0)
    scores = comparison.condensed()
    first, second = np.triu_indices(len(ids), k=1)
    known = np.flatnonzero(np.isfinite(scores))
    if not len(known):
        return ControlAgreement(ids, tuple(left_out), None, (), 0, 0)
    sizes = comparison.sizes(first[known], second[known])
    tied = merge_ties(scores[known], metric=comparison.metric, sizes=sizes)
    # The first of equals.
    worst = int(known[(-tied if comparison.metric.is_similarity else tied).argmax()])
    return ControlAgreement(
        ids,
        tuple(left_out),
        float(scores[worst]),
        (ids[int(first[worst])], ids[int(second[worst])]),
        len(known),
        int(samples.metric.meets(scores[known], samples.threshold, sizes).sum()),
    )

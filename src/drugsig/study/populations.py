"""What a study knows of its populations before anything is scored: pairs, sources, folds, draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.evidence.pairs import LabelledPairs, find_pairs, stratum_places
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.resampling import affordable_by_pairs, source_folds, source_weights
from drugsig.profiles.profile_set import ProfileSet
from drugsig.study.plan import StudyPlan

__all__ = ["RulePairs", "SourceSystem", "rule_pairs", "source_systems"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

# What the random numbers of a study are for: each purpose has a stream of its own, so that one
# more rule or fold changes nothing elsewhere.
_FOLDS, _DRAWS = 0, 1


@dataclass(frozen=True, eq=False)
class SourceSystem:
    """Sources as some rules name them, parted into folds.

    Attributes
    ----------
    source : ndarray of int, shape (n_profiles,)
        The source of every profile; -1 where it is not known, or the rules leave the profile out.
    n_sources : int
        How many sources there are.
    folds : ndarray of int, shape (n_repeats, n_sources)
        The fold of every source; without repeats where there is no nested choice.
    """

    source: Rows
    n_sources: int
    folds: Rows


@dataclass(frozen=True, eq=False)
class RulePairs:
    """The pairs of one rule, ready to be scored over and over.

    Attributes
    ----------
    rule : PopulationRule
        What linked and unlinked mean.
    known : LabelledPairs
        The pairs.
    places : ndarray of int, shape (n_pairs,)
        Where the score of each pair stands in a matrix of scores that is read row by row.
    source_a, source_b : ndarray of int, shape (n_pairs,)
        The sources of both profiles.
    strata : tuple of ndarray
        Rows and columns of pairs of different seizures that agree in every stratum column.
    system : int
        Which of the source systems is meant.
    """

    rule: PopulationRule
    known: LabelledPairs
    places: Rows
    source_a: Rows
    source_b: Rows
    strata: tuple[Rows, Rows]
    system: int

    def draws(self, plan: StudyPlan, place: int, /) -> Floats:
        """Return how often each source is drawn, shape (n_sources, n_resamples).

        Sources without a pair under the rule are never drawn.
        """
        n_unlinked = int((~self.known.linked).sum())
        n = affordable_by_pairs(n_unlinked, plan.n_resamples)
        weights = np.zeros((len(self.known.sources), n))
        used = np.union1d(self.source_a, self.source_b)
        weights[used] = source_weights(len(used), n, _stream(plan, _DRAWS, place))
        return weights


def rule_pairs(profiles: ProfileSet, plan: StudyPlan, /) -> list[RulePairs]:
    """Find the pairs of every rule, once.

    Raises
    ------
    PopulationError
        If a rule finds no linked or no unlinked pair.
    """
    keys = [_system_key(rule) for rule in plan.rules]
    numbered = list(dict.fromkeys(keys))
    strata: dict[tuple[object, ...], tuple[Rows, Rows]] = {}
    out = []
    for rule, key in zip(plan.rules, keys, strict=True):
        known = find_pairs(profiles, rule)
        known.refuse_one_sided("Leave the rule out of the study, or mend it.")
        alike = (rule.strata, rule.seizure, rule.specimen, key)
        if alike not in strata:
            strata[alike] = _stratum_rows(profiles, rule)
        rows, columns = known.first.astype(np.intp), known.second.astype(np.intp)
        source = known.source.astype(np.intp)
        out.append(
            RulePairs(
                rule=rule,
                known=known,
                places=rows * len(profiles) + columns,
                source_a=source[rows],
                source_b=source[columns],
                strata=strata[alike],
                system=numbered.index(key),
            )
        )
    return out


def source_systems(
    profiles: ProfileSet, rules: list[RulePairs], plan: StudyPlan, /
) -> list[SourceSystem]:
    """Part the sources of every system into folds; rules that name sources alike share them."""
    out = []
    for system in range(1 + max(one.system for one in rules)):
        members = [one for one in rules if one.system == system]
        known = members[0].known
        n_sources = len(known.sources)
        source = known.source.astype(np.intp)
        if known.left_out:
            source = source.copy()
            source[profiles.index_of(known.left_out)] = -1
        linked = np.zeros(n_sources, dtype=np.intp)
        for one in members:
            linked[np.unique(one.source_a[one.known.linked])] += 1
        n_repeats = plan.n_repeats if plan.n_folds else 0
        folds = [
            source_folds(linked, plan.n_folds, _stream(plan, _FOLDS, system, repeat))
            for repeat in range(n_repeats)
        ]
        stacked = np.array(folds, dtype=np.intp).reshape(n_repeats, n_sources)
        out.append(SourceSystem(source, n_sources, stacked))
    return out


def _stratum_rows(profiles: ProfileSet, rule: PopulationRule) -> tuple[Rows, Rows]:
    places = stratum_places(profiles, rule).values()
    none = np.empty(0, dtype=np.intp)
    first = np.concatenate([none, *(place[0] for place in places)])
    second = np.concatenate([none, *(place[1] for place in places)])
    return first.astype(np.intp), second.astype(np.intp)


def _system_key(rule: PopulationRule) -> tuple[object, ...]:
    """Rules with one key share their sources, and so the profiles that may be learned from."""
    return rule.source, tuple(sorted((k, tuple(v)) for k, v in rule.exclude.items()))


def _stream(plan: StudyPlan, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(plan.seed, spawn_key=key))

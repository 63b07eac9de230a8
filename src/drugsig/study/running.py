"""`run_study`: try every combination, and judge the best on sources it was not chosen on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from drugsig._check import generator, listed, whole_number
from drugsig._notes import Note, emit, unique_notes
from drugsig.comparison.dense import compared
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.errors import (
    DrugsigError,
    InputError,
)
from drugsig.evidence.populations import PopulationRule, circular_notes, get_rule, label_notes
from drugsig.evidence.resampling import percentile_interval
from drugsig.evidence.target_selection import TargetSelection
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.study.cells import Cell, fold_counts, measure_cell, resampled_wins
from drugsig.study.folds import Choice, FoldChoice, choose_in_folds
from drugsig.study.plan import StudyPlan, plan_of
from drugsig.study.populations import RulePairs, SourceSystem, rule_pairs, source_systems
from drugsig.study.study import Study, table_of
from drugsig.study.treatments import Fold, Treatment, treated, treatments_of

__all__ = ["run_plan", "run_study"]

Floats = NDArray[np.float64]
_Made = TypeVar("_Made")

_LARGEST_SEED = 2**63


def run_study(
    profiles: ProfileSet,
    /,
    recipes: str | Recipe | Sequence[str | Recipe] | Mapping[str, str | Recipe],
    metrics: str | Metric | Sequence[str | Metric],
    rules: PopulationRule | str | Sequence[PopulationRule | str],
    *,
    rng: np.random.Generator,
    selections: Mapping[str, TargetSelection] | None = None,
    n_folds: int = 5,
    n_repeats: int = 5,
    n_resamples: int = 2000,
    min_measured: int | None = None,
    workers: int = 1,
    progress: bool = True,
) -> Study:
    """Try every recipe with every metric under every rule, and judge the best one honestly.

    Parameters
    ----------
    profiles : ProfileSet
        As they are before the recipes, with the metadata the rules look at. Steps that learn from
        profiles must not have been applied.
    recipes : str or Recipe, sequence or mapping of these
        Pretreatments; a mapping gives them names.
    metrics : str or Metric, or sequence of these
        Registered metrics.
    rules : PopulationRule or str, or sequence of these
        Which pairs are of known source; a text names a preset of a published study.
    rng : numpy.random.Generator
        For folds and resampling. One number is drawn from it, the seed of the study, from which
        all else follows.
    selections : mapping of str to TargetSelection, optional
        Choices of targets to try as well, by name. All targets by default.
    n_folds : int
        Into how many folds the sources are parted for the nested choice; 0 for none.
    n_repeats : int
        How often the sources are parted anew: with few sources one parting is a matter of luck.
    n_resamples : int
        How often sources are resampled for intervals; 0 for none.
    min_measured : int, optional
        As in `drugsig.compare`.
    workers : int
        How many threads work. The result does not depend on it.
    progress : bool
        Show progress where there is a terminal.

    Returns
    -------
    Study
        The table of all combinations, the best, and by how much picking it flatters.

    Raises
    ------
    InputError
        If a choice cannot be used.
    PopulationError
        If a rule finds no linked or no unlinked pair, or contradicts itself.
    RecipeError, ComparisonError
        If a recipe or metric cannot be applied to these profiles.

    Warns
    -----
    SmallSampleWarning
        If a rule has fewer than 30 linked sources.
    CircularRuleWarning
        If a rule looks at a column derived from the profile itself.
    UndefinedScoreWarning
        If pairs of known source have no score under a combination.

    Notes
    -----
    A fold is a set of sources. What is chosen without it is judged on pairs whose two sources are
    both in it; a pair with one source inside counts nowhere. Recipes that learn (``autoscale``,
    ``sd_weights``, ``keep_detected`` ...) and choices of targets are learned anew without the
    fold. The nested area is the mean over all partings; a combination is chosen by its area.
    """
    generator(rng)
    plan = plan_of(
        recipes,
        metrics,
        rules,
        selections=selections,
        n_folds=n_folds,
        n_repeats=n_repeats,
        n_resamples=n_resamples,
        min_measured=min_measured,
        seed=int(rng.integers(_LARGEST_SEED)),
    )
    return run_plan(plan, profiles, workers=workers, progress=progress)


def run_plan(
    plan: StudyPlan,
    profiles: ProfileSet | None = None,
    /,
    *,
    workers: int = 1,
    progress: bool = True,
) -> Study:
    """Run a study that is written down; the same plan gives the same table.

    Parameters
    ----------
    plan : StudyPlan
        From `read_study`, or a study that was run.
    profiles : ProfileSet, optional
        Instead of those the plan names.
    workers, progress
        As in `drugsig.run_study`.

    Returns
    -------
    Study
        As from `drugsig.run_study`, whose errors and warnings it shares.
    """
    workers = whole_number(workers, what="workers", least=1)
    studied = plan.load() if profiles is None else profiles
    _refuse_learned(studied)
    plan = replace(plan, rules=tuple(get_rule(rule, studied) for rule in plan.rules))
    run = _Run(plan, studied, workers, progress)
    study = run.study()
    told: list[Note] = [note for rule in plan.rules for note in circular_notes(rule)]
    told += [note for rule in plan.rules for note in label_notes(rule, studied)]
    told += [note for one in run.prepared for note in one.notes]
    emit(unique_notes((*told, *study.notes)))
    return study


def _refuse_learned(profiles: ProfileSet) -> None:
    learned = [str(step["step"]) for step in profiles.pretreatment if step.get("learned")]
    if learned:
        raise InputError(
            f"profile set '{profiles.name}' was treated by what was learned from profiles already "
            f"({listed(learned)}): what is chosen without a fold would know the profiles in it. "
            "Give the profiles as they were before, and the steps as recipes."
        )


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Profiles under one treatment: by source system, and without each fold where it learns."""

    whole: list[ProfileSet]
    without: dict[Fold, ProfileSet]
    notes: tuple[Note, ...]


@dataclass(frozen=True, eq=False)
class _Judged:
    """What one treatment and metric reach: a cell a rule, and counts by rule, repeat and fold."""

    cells: list[Cell]
    training: Floats
    wins: Floats
    pairs: Floats
    n_targets: list[int]


class _Run:
    """One run of a plan."""

    def __init__(self, plan: StudyPlan, profiles: ProfileSet, workers: int, progress: bool) -> None:
        self.plan, self.handed_in, self.profiles = plan, profiles, profiles.in_id_order()
        self.workers, self.progress = workers, progress
        self.rules: list[RulePairs] = rule_pairs(self.profiles, plan)
        self.systems: list[SourceSystem] = source_systems(self.profiles, self.rules, plan)
        self.treatments: list[Treatment] = list(treatments_of(plan))
        self.metrics: list[Metric] = [get_metric(name) for name in plan.metrics]
        n_repeats = plan.n_repeats if plan.n_folds else 0
        self.shape = (len(self.rules), n_repeats, plan.n_folds)
        self.draws: list[Floats | None] = [
            one.draws(plan, place) if plan.n_resamples else None
            for place, one in enumerate(self.rules)
        ]
        self.prepared: list[_Prepared] = []

    def study(self) -> Study:
        """Do everything."""
        self.prepared = self._each(self._prepare, self.treatments, "pretreat")
        jobs = [(k, m) for k in range(len(self.treatments)) for m in range(len(self.metrics))]
        judged = self._each(self._judge, jobs, "compare")
        counts = [
            np.concatenate([getattr(one, what) for one in judged])
            for what in ("training", "wins", "pairs")
        ]
        table = table_of(
            self.plan,
            self.treatments,
            [cell for one in judged for cell in one.cells],
            [n for one in judged for n in one.n_targets],
            [one.known for one in self.rules],
        )
        choices = self._choices(table["auc"].to_numpy(dtype=np.float64), *counts)
        return Study.make(self.plan, self.handed_in, table, choices)

    def _each(self, work: Callable[[Any], _Made], jobs: Sequence[Any], what: str) -> list[_Made]:
        """Do the same to every job, in threads if there are several; results keep their order."""
        hidden = None if self.progress else True
        bar = tqdm(total=len(jobs), desc=what, disable=hidden, leave=False, unit="job")
        with bar:
            if self.workers == 1 or len(jobs) < 2:
                return [_ticked(work(job), bar) for job in jobs]
            pool = ThreadPoolExecutor(min(self.workers, len(jobs)))
            try:
                futures = [pool.submit(work, job) for job in jobs]
                return [_ticked(future.result(), bar) for future in futures]
            finally:
                # After an error or an interruption what has not begun is not begun any more.
                pool.shutdown(cancel_futures=True)

    def _prepare(self, treatment: Treatment) -> _Prepared:
        notes: list[Note] = []

        def make(system: int, fold: Fold | None) -> ProfileSet:
            try:
                made, said = treated(
                    self.profiles, treatment, self.systems[system], fold, self.systems
                )
            except DrugsigError as error:
                learned = "all profiles" if fold is None else "the profiles outside of a fold"
                error.add_note(
                    f"This was recipe '{treatment.recipe_name}' with '{treatment.selection_name}', "
                    f"learned from {learned}."
                )
                raise
            notes.extend(said)
            return made

        first = make(0, None)
        if treatment.selection.keeps_all:
            whole = [first] * len(self.systems)
            learned = any(step.learned for step in Recipe.of(first).steps)
        else:
            whole = [first, *(make(k, None) for k in range(1, len(self.systems)))]
            learned = True
        folds = [fold for k in range(len(self.systems)) for fold in self._folds(k)]
        without = {fold: make(fold.system, fold) for fold in folds} if learned else {}
        return _Prepared(whole, without, unique_notes(notes))

    def _folds(self, system: int) -> list[Fold]:
        _, n_repeats, n_folds = self.shape
        return [Fold(system, r, f) for r in range(n_repeats) for f in range(n_folds)]

    def _scores(self, profiles: ProfileSet, metric: Metric) -> Floats:
        comparison = compared(profiles, metric=metric, min_measured=self.plan.min_measured)
        # Where sizes differ from pair to pair, only the comparison knows who is tied.
        return comparison.scores if metric.is_bounded else comparison.tied_scores()

    def _judge(self, job: tuple[int, int]) -> _Judged:
        prepared, metric = self.prepared[job[0]], self.metrics[job[1]]
        cells: list[Cell] = []
        training, wins = np.full(self.shape, np.nan), np.zeros(self.shape)
        pairs = np.zeros(self.shape)
        scored: dict[int, Floats] = {}
        for place, rule in enumerate(self.rules):
            treated_ones = prepared.whole[rule.system]
            key = id(treated_ones)
            if key not in scored:
                scored[key] = self._scores(treated_ones, metric)
            cell, ranked = measure_cell(scored[key], metric, rule, self.draws[place])
            cells.append(cell)
            folds = [] if prepared.without else self._folds(rule.system)
            if folds:
                left_out = [fold.left_out(self.systems) for fold in folds]
                found = fold_counts(scored[key], metric, rule, left_out, ranked)
                for target, values in zip((training, wins, pairs), found, strict=True):
                    target[place] = values.reshape(self.shape[1:])
        for fold, profiles in prepared.without.items():
            scores = self._scores(profiles, metric)
            for place, rule in enumerate(self.rules):
                if rule.system != fold.system:
                    continue
                found = fold_counts(scores, metric, rule, [fold.left_out(self.systems)], None)
                for target, values in zip((training, wins, pairs), found, strict=True):
                    target[place, fold.repeat, fold.fold] = values[0]
        n_targets = [len(prepared.whole[rule.system].targets) for rule in self.rules]
        return _Judged(cells, training, wins, pairs, n_targets)

    # -- the best, and what it is worth ------------------------------------------------------

    def _choices(
        self, areas: Floats, training: Floats, wins: Floats, pairs: Floats
    ) -> tuple[Choice, ...]:
        n_rules = len(self.rules)
        everything = np.arange(len(areas))
        among: list[tuple[str | None, Any]] = [
            (rule.name, everything[everything % n_rules == k])
            for k, rule in enumerate(self.plan.rules)
        ]
        if n_rules > 1:
            among.append((None, everything))
        picked = []
        for name, rows in among:
            if np.isnan(areas[rows]).all():
                continue
            why = self._why_not(name)
            chosen = () if why else choose_in_folds(rows, training, wins, pairs)
            if not why and not any(one.pairs for one in chosen):
                chosen, why = (), "no fold holds both linked and unlinked pairs with a score"
            best = int(rows[int(np.nanargmax(areas[rows]))])
            picked.append((name, best, chosen, why))
        in_folds = [_mean_share(wins[best], pairs[best]) for _, best, _, _ in picked]
        drawn = self._resample_chosen({one for _, _, chosen, _ in picked for one in chosen})
        return tuple(
            self._choice(name, (best, float(areas[best]), share), chosen, why, drawn)
            for (name, best, chosen, why), share in zip(picked, in_folds, strict=True)
        )

    def _why_not(self, name: str | None) -> str:
        """Say why there is no nested choice; an empty text where there is one."""
        if not self.plan.n_folds:
            return "no folds were asked for"
        if name is None and len(self.systems) > 1:
            return "the rules name their sources differently, so they share no folds"
        places = [k for k, rule in enumerate(self.plan.rules) if name in (None, rule.name)]
        if all(self._n_linked_sources(k) < 2 for k in places):
            return "all linked pairs are of one source, which cannot teach and be judged"
        return ""

    def _n_linked_sources(self, place: int) -> int:
        rule = self.rules[place]
        return len(np.unique(rule.source_a[rule.known.linked]))

    def _resample_chosen(self, chosen: set[FoldChoice]) -> dict[FoldChoice, tuple[Floats, Floats]]:
        """Resample the sources of every fold for what was chosen there."""
        if not self.plan.n_resamples or not chosen:
            return {}
        n_rules, n_metrics = len(self.rules), len(self.metrics)
        jobs: dict[tuple[int, int, Fold | None], list[FoldChoice]] = {}
        for one in sorted(chosen, key=lambda c: (c.row, c.repeat, c.fold)):
            rest, place = divmod(one.row, n_rules)
            k, m = divmod(rest, n_metrics)
            system = self.rules[place].system
            fold = Fold(system, one.repeat, one.fold) if self.prepared[k].without else None
            jobs.setdefault((k, m, fold), []).append(one)

        def work(
            job: tuple[tuple[int, int, Fold | None], list[FoldChoice]],
        ) -> list[tuple[Floats, Floats]]:
            (k, m, fold), ones = job
            prepared, metric = self.prepared[k], self.metrics[m]
            scored: dict[int, Floats] = {}
            out = []
            for one in ones:
                place = one.row % n_rules
                rule, draws = self.rules[place], self.draws[place]
                profiles = prepared.whole[rule.system] if fold is None else prepared.without[fold]
                if id(profiles) not in scored:
                    scored[id(profiles)] = self._scores(profiles, metric)
                inside = Fold(rule.system, one.repeat, one.fold).left_out(self.systems)
                if draws is None:
                    continue
                out.append(resampled_wins(scored[id(profiles)], metric, rule, inside, draws))
            return out

        done = self._each(work, list(jobs.items()), "resample")
        flat: Iterable[tuple[FoldChoice, tuple[Floats, Floats]]] = (
            pair
            for ones, results in zip(jobs.values(), done, strict=True)
            for pair in zip(ones, results, strict=True)
        )
        return dict(flat)

    def _choice(
        self,
        name: str | None,
        best: tuple[int, float, float | None],
        chosen: tuple[FoldChoice, ...],
        why: str,
        drawn: dict[FoldChoice, tuple[Floats, Floats]],
    ) -> Choice:
        by_repeat, resampled = [], []
        for repeat in range(self.shape[1]):
            ones = [one for one in chosen if one.repeat == repeat]
            total = sum(one.pairs for one in ones)
            if not total:
                continue
            by_repeat.append(sum(one.wins for one in ones) / total)
            if drawn:
                resampled.append(_ratio([drawn[one] for one in ones]))
        nested = float(np.mean(by_repeat)) if by_repeat else None
        low = high = None
        if nested is not None and resampled:
            width = min(len(x) for x in resampled)
            means = np.mean([x[:width] for x in resampled], axis=0)
            means = means[~np.isnan(means)]
            places = [k for k, rule in enumerate(self.plan.rules) if name in (None, rule.name)]
            units = max(1, max(self._n_linked_sources(k) for k in places))
            interval = percentile_interval(means, np.ones(len(means)), nested, units)
            low, high = interval.low, interval.high
        return Choice(
            rule=name,
            row=best[0],
            apparent_auc=best[1],
            nested_auc=nested,
            nested_low=low,
            nested_high=high,
            best_in_folds=best[2] if by_repeat else None,
            by_repeat=tuple(by_repeat),
            folds=chosen,
            why_not=why,
        )


def _mean_share(wins: Floats, pairs: Floats) -> float | None:
    """Return the mean over partings of the share of pairs won in their folds."""
    shares = [float(w.sum() / p.sum()) for w, p in zip(wins, pairs, strict=True) if p.sum()]
    return float(np.mean(shares)) if shares else None


def _ratio(parts: list[tuple[Floats, Floats]]) -> Floats:
    """Return the share of pairs won over several folds, resample by resample."""
    width = min(len(wins) for wins, _ in parts)
    top = np.sum([wins[:width] for wins, _ in parts], axis=0)
    bottom = np.sum([pairs[:width] for _, pairs in parts], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)


def _ticked(result: _Made, bar: Any) -> _Made:
    bar.update()
    return result

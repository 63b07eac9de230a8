"""`Study`: what every combination reaches, which is best, and what picking it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from drugsig._check import choose
from drugsig._files import new_folder, write_file
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.comparison.dense import compare
from drugsig.errors import (
    DrugsigWarning,
    InputError,
    OutputError,
    SmallSampleWarning,
    UndefinedScoreWarning,
)
from drugsig.evidence.dependence import FEW_LINKED_SOURCES
from drugsig.evidence.pairs import LabelledPairs, PairSample, pair_sample
from drugsig.profiles.pretreatment.apply import pretreat
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables import write_columns, write_profiles
from drugsig.profiles.tables.assembly import ReadingOptions
from drugsig.study.cells import Cell
from drugsig.study.folds import Choice
from drugsig.study.plan import ALL_TARGETS, StudyPlan
from drugsig.study.treatments import Treatment

__all__ = ["COLUMNS", "CombinationsWithoutScores", "FewSourcesOfStudy", "Study", "table_of"]

COLUMNS = (
    "recipe",
    "selection",
    "metric",
    "rule",
    "auc",
    "auc_low",
    "auc_high",
    "equal_error_rate",
    "equal_error_low",
    "equal_error_high",
    "n_targets",
    "n_linked",
    "n_linked_sources",
    "n_unlinked",
    "n_unlinked_sources",
    "n_undefined",
    "n_undecided",
    "stratum_auc",
    "n_stratum",
)

_SHOWN = 12
_PLAN_FILE, _PROFILES_FILE = "study.toml", "profiles.csv"


@dataclass(frozen=True)
class FewSourcesOfStudy(Note):
    """Few sources stand behind the linked pairs of a rule that was studied.

    Add sources with linked profiles before a combination is chosen.
    """

    code: ClassVar[str] = "few-sources-of-study"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    n_sources: int
    rule: str
    needed: int = FEW_LINKED_SOURCES

    def __str__(self) -> str:
        return (
            f"only {self.n_sources} sources stand behind the linked pairs of rule '{self.rule}' "
            f"(fewer than {self.needed}): its areas, and what is chosen by them, are uncertain."
        )


@dataclass(frozen=True)
class CombinationsWithoutScores(Note):
    """Some combinations were judged on fewer pairs than others.

    Compare combinations by what they have in common; the column says how many pairs each lacks.
    """

    code: ClassVar[str] = "combinations-without-scores"
    category: ClassVar[type[DrugsigWarning] | None] = UndefinedScoreWarning
    n_lacking: int
    n_combinations: int
    most_pairs: int

    def __str__(self) -> str:
        return (
            f"{self.n_lacking} of {self.n_combinations} combinations have pairs of known source "
            f"without a score, up to {self.most_pairs} of them (column n_undefined): they are "
            "judged on fewer pairs than the others."
        )


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """What every combination of recipe, targets and metric reaches under every rule.

    Attributes
    ----------
    plan : StudyPlan
        Everything that decided the result, its seed included.
    profiles : ProfileSet
        What was studied, not treated.
    choices : tuple of Choice
        The best combination under each rule and, where there are several rules, of all; each with
        what was reached on sources it was not chosen on.
    versions : tuple of (str, str)
        The packages whose version can change a number.
    """

    plan: StudyPlan
    profiles: ProfileSet
    choices: tuple[Choice, ...]
    versions: tuple[tuple[str, str], ...]
    _table: pd.DataFrame

    @classmethod
    def make(
        cls,
        plan: StudyPlan,
        profiles: ProfileSet,
        table: pd.DataFrame,
        choices: tuple[Choice, ...],
        /,
    ) -> Study:
        """Put a study together; `drugsig.run_study` does it."""
        packages = ("drugsig", "numpy", "scipy", "pandas")
        versions = tuple((name, version(name)) for name in packages)
        return cls(plan, profiles, choices, versions, table)

    @property
    def table(self) -> pd.DataFrame:
        """One row a combination, as a copy.

        Areas (``auc``) and equal error rates with their 95 % intervals, the pairs and sources
        behind them, pairs without a score, and ``stratum_auc``: linked pairs against pairs of
        different seizures that agree in every stratum column of the rule, the pairs that casework
        is about.
        """
        return self._table.copy()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a reader must know before using the table."""
        table = self._table
        linked = table.groupby("rule", sort=False)["n_linked_sources"].max()
        few = linked[linked < FEW_LINKED_SOURCES].items()
        lost = table["n_undefined"][table["n_undefined"] > 0]
        lacking = (
            [CombinationsWithoutScores(len(lost), len(table), int(lost.max()))] if len(lost) else []
        )
        return (*(FewSourcesOfStudy(int(n), str(rule)) for rule, n in few), *lacking)

    @property
    def optimism(self) -> pd.DataFrame:
        """One row a rule, and one for all rules: how much picking the best flatters.

        ``apparent_auc`` is that of the best combination on the pairs it was picked on,
        ``nested_auc`` what was reached on left-out sources by what was picked on the others, and
        ``optimism`` their difference. ``best_in_folds`` is what the best combination reaches on
        the pairs of ``nested_auc``: the rest of the optimism is due to pairs across folds, which
        are not judged. ``times_chosen`` is the share of folds in which the best
        combination was picked as well.
        """
        rows = []
        for one in self.choices:
            row = self._table.iloc[one.row]
            spread = (min(one.by_repeat), max(one.by_repeat)) if one.by_repeat else (None, None)
            rows.append(
                {
                    "among": "all rules" if one.rule is None else one.rule,
                    "best": " / ".join(row[c] for c in _shown_names(self.plan)),
                    "apparent_auc": one.apparent_auc,
                    "nested_auc": one.nested_auc,
                    "nested_low": one.nested_low,
                    "nested_high": one.nested_high,
                    "best_in_folds": one.best_in_folds,
                    "lowest_repeat": spread[0],
                    "highest_repeat": spread[1],
                    "optimism": one.optimism,
                    "times_chosen": one.times_chosen,
                    "n_folds": sum(fold.pairs > 0 for fold in one.folds),
                    "why_not": one.why_not,
                }
            )
        return pd.DataFrame(rows)

    def best(self, rule: str | None = None, /) -> pd.Series[Any]:
        """Return the row with the largest area, under a rule or under all.

        Parameters
        ----------
        rule : str, optional
            The name of a rule; all rules by default.

        Returns
        -------
        Series
            A row of `table`; its name is the number of the row. Its area flatters, see `optimism`.

        Raises
        ------
        UnknownNameError
            If there is no such rule.
        InputError
            If no combination has an area.
        """
        table = self._table
        if rule is not None:
            names = tuple(one.name for one in self.plan.rules)
            table = table[table["rule"] == choose(rule, names, what="rule of the study")]
        if table["auc"].isna().all():
            raise InputError("no combination of this study has an area under the ROC curve")
        return table.iloc[int(np.nanargmax(table["auc"].to_numpy(dtype=np.float64)))].copy()

    def sample(self, row: int, /) -> PairSample:
        """Return the scored pairs of one combination, for figures and differences.

        Parameters
        ----------
        row : int
            The row of `table`.

        Raises
        ------
        InputError
            If there is no such row, or the combination chooses targets.
        """
        if not 0 <= row < len(self._table):
            raise InputError(f"the table of this study has rows 0 to {len(self._table) - 1}")
        one = self._table.iloc[row]
        if dict(self.plan.selections)[one["selection"]].keeps_all is False:
            raise InputError(
                f"combination {row} chooses targets ('{one['selection']}'), by sources and values. "
                "Choose them with drugsig.study.TargetSelection.keep, and compare those profiles."
            )
        (rule,) = (r for r in self.plan.rules if r.name == one["rule"])
        profiles = pretreat(self.profiles, dict(self.plan.recipes)[one["recipe"]])
        comparison = compare(
            profiles, metric=str(one["metric"]), min_measured=self.plan.min_measured
        )
        return pair_sample(comparison, profiles, rule)

    def to_csv(self, path: str | Path, /, *, decimal_comma: bool = False) -> Path:
        """Write the table to a ``.csv``, ``.tsv`` or ``.xlsx`` file.

        Parameters
        ----------
        path : path-like
            Where; it must not be there yet.
        decimal_comma : bool
            Write decimal commas, and semicolons between cells.
        """
        return write_columns(path, self._table, decimal_comma=decimal_comma)

    def write(self, folder: str | Path, /) -> Path:
        """Write the study to a folder, so that anybody can run it again to the same table.

        Parameters
        ----------
        folder : path-like
            Made if it is not there; must be empty otherwise.

        Returns
        -------
        Path
            The study file, ``study.toml``. Beside it lie the profiles, the table, and the choices
            with their optimism.

        Raises
        ------
        OutputError
            If the folder is not empty or cannot be written to.
        """
        place = Path(folder)
        try:
            place.absolute().parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"folder '{place}' cannot be made: {error.strerror}") from error
        with new_folder(place) as draft:
            write_profiles(self.profiles, draft / _PROFILES_FILE)
            self.to_csv(draft / "table.csv")
            write_columns(draft / "optimism.csv", self.optimism)
            text = self.plan_for(_PROFILES_FILE).to_toml(version=version("drugsig"))
            write_file(draft / _PLAN_FILE, text.encode())
        return place / _PLAN_FILE

    def plan_for(self, path: str | Path, /) -> StudyPlan:
        """Return the plan with the profiles that were studied, lying at `path`."""
        return replace(
            self.plan, path=Path(path), reading=ReadingOptions(), digest=self.profiles.digest
        )

    def __repr__(self) -> str:
        best = self._table["auc"].max()
        flattered = [c for c in self.choices if c.optimism is not None]
        last = flattered[-1] if flattered else None
        nested = "" if last is None else f", {last.nested_auc:.4f} on sources it was not chosen on"
        return (
            f"<Study of {len(self._table)} combinations on {len(self.profiles)} profiles: the best "
            f"reaches an area of {best:.4f}{nested}>"
        )

    def _repr_html_(self) -> str:
        shown = self._table.sort_values("auc", ascending=False, kind="stable").head(_SHOWN)
        columns = [*_shown_names(self.plan), "auc", "auc_low", "auc_high", "n_linked_sources"]
        columns += ["stratum_auc"] if shown["stratum_auc"].notna().any() else []
        few = ["among", "best", "apparent_auc", "nested_auc", "nested_low", "nested_high",
               "optimism"]  # fmt: skip
        return _html(shown[columns], repr(self)[1:-1]) + _html(
            self.optimism[few], "what picking the best is worth"
        )


def table_of(
    plan: StudyPlan,
    treatments: Sequence[Treatment],
    cells: Sequence[Cell],
    n_targets: Sequence[int],
    known: Sequence[LabelledPairs],
    /,
) -> pd.DataFrame:
    """Make the table of a study: treatments, metrics and rules in the order of the plan."""
    rows = []
    names = (
        (treatment, metric, rule, pairs)
        for treatment in treatments
        for metric in plan.metrics
        for rule, pairs in zip(plan.rules, known, strict=True)
    )
    for (treatment, metric, rule, pairs), cell, n in zip(names, cells, n_targets, strict=True):
        area, error = cell.auc_interval, cell.equal_error_interval
        rows.append(
            (
                treatment.recipe_name,
                treatment.selection_name,
                metric,
                rule.name,
                cell.auc,
                np.nan if area is None else area.low,
                np.nan if area is None else area.high,
                cell.equal_error_rate,
                np.nan if error is None else error.low,
                np.nan if error is None else error.high,
                n,
                cell.n_linked,
                cell.n_linked_sources,
                cell.n_unlinked,
                cell.n_unlinked_sources,
                cell.n_undefined,
                pairs.n_undecided,
                cell.stratum_auc,
                cell.n_stratum,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _shown_names(plan: StudyPlan) -> list[str]:
    chosen = [] if [n for n, _ in plan.selections] == [ALL_TARGETS] else ["selection"]
    return ["recipe", *chosen, "metric", "rule"]


def _html(frame: pd.DataFrame, caption: str) -> str:
    rows = frame.itertuples(index=False, name=None)
    return html_table(rows, head=list(frame.columns), caption=caption, digits=".4f")

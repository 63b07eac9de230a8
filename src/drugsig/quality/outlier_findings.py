"""What the search for outliers found: the values, the spreads they were judged by, the rule."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from drugsig._check import listed
from drugsig._notes import Note
from drugsig.errors import DrugsigWarning, SmallSampleWarning
from drugsig.profiles.status import Status

__all__ = ["FewReplicates", "OutlierFinding", "OutlierFindings", "TargetSpread"]

_ROWS_IN_HTML = 30
_OTHERS_IN_HTML = 8


@dataclass(frozen=True)
class FewReplicates(Note):
    """The spread that values are called far by rests on few replicates.

    Judge the named values of these targets by eye, or add sources that were measured again.
    """

    code: ClassVar[str] = "few-replicates"
    category: ClassVar[type[DrugsigWarning]] = SmallSampleWarning
    targets: tuple[str, ...]
    needed: int

    def __str__(self) -> str:
        return (
            f"The spread within sources of {listed(self.targets)} rests on fewer than "
            f"{self.needed} replicates, and so does what is called far from it."
        )


@dataclass(frozen=True)
class OutlierFinding:
    """One value that lies far from the others of its source.

    Parameters
    ----------
    profile_id, source, target, unit : str
        Where.
    value : float
        As it stands in the profiles.
    status : Status
        Detected, or below which limit.
    others : tuple of float
        The other values of its source, in the order of the profiles.
    median_of_others : float
        Their median, with what is below a limit counted at the limit.
    spread : float
        What the value might differ from its source by: of the values, or of their natural
        logarithms.
    score : float
        The distance over the spread, with the uncertainty of the others' median.
    undecided : bool
        Whether it cannot be said which values of the source are wrong.
    why : str
        In words.
    """

    profile_id: str
    source: str
    target: str
    unit: str
    value: float
    status: Status
    others: tuple[float, ...]
    median_of_others: float
    spread: float
    score: float
    undecided: bool
    why: str

    def __str__(self) -> str:
        return f"{self.target} {self.value:g} {self.unit}, score {self.score:.1f}: {self.why}"


@dataclass(frozen=True)
class TargetSpread:
    """What the values of one target were judged by.

    Parameters
    ----------
    target, unit : str
        The target.
    n_sources, n_values : int
        Sources with two values or more, and their values.
    degrees_of_freedom : int
        Replicates behind the spread: values beyond the first of each source without a value below
        a limit. With none the target was not judged.
    least_spread, largest_spread : float or None
        The pooled spread within sources, over the levels; None if the target was not judged.
    n_named : int
        How many values were named.
    """

    target: str
    unit: str
    n_sources: int
    n_values: int
    degrees_of_freedom: int
    least_spread: float | None
    largest_spread: float | None
    n_named: int


@dataclass(frozen=True, eq=False)
class OutlierFindings:
    """Values far from the others of their source, and the rule that named them.

    Parameters
    ----------
    findings : tuple of OutlierFinding
        The highest score first.
    spreads : tuple of TargetSpread
        One a target that was looked at.
    source : str
        The metadata column that names the source.
    threshold : float
        A value is named if its score is larger.
    scale : str
        ``"linear"`` or ``"log"``.
    pool : int or None
        From how many sources, nearest in level, the spread was taken; None for all.
    n_profiles : int
        How many profiles were looked at.
    without_source, alone : tuple of str
        Profiles whose source is not known, and those that are the only one of theirs: they could
        not be judged.
    notes : tuple of Note
        What a reader must know.
    profiles_digest : str
        Of the profiles that were looked at.
    """

    findings: tuple[OutlierFinding, ...]
    spreads: tuple[TargetSpread, ...]
    source: str
    threshold: float
    scale: str
    pool: int | None
    n_profiles: int
    without_source: tuple[str, ...]
    alone: tuple[str, ...]
    notes: tuple[Note, ...]
    profiles_digest: str

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def rule(self) -> str:
        """The rule in one sentence."""
        what = "natural logarithm" if self.scale == "log" else "value"
        where = (
            "all sources"
            if self.pool is None
            else f"the {self.pool} sources nearest in level, or all if there are fewer"
        )
        return (
            f"Named is a {what} that lies more than {self.threshold:g} times the spread within "
            f"sources (column '{self.source}') from the median of the others of its source; the "
            f"spread is that of {where}, and at least that of the others themselves and of the "
            "rounding."
        )

    @property
    def flags(self) -> dict[str, tuple[str, ...]]:
        """What a reader should look at, by profile id; profiles without a finding are absent."""
        said: dict[str, tuple[str, ...]] = {}
        for finding in self.findings:
            said[finding.profile_id] = (*said.get(finding.profile_id, ()), str(finding))
        return said

    def of_profile(self, profile_id: str, /) -> tuple[OutlierFinding, ...]:
        """Return the findings of one profile."""
        return tuple(f for f in self.findings if f.profile_id == profile_id)

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a table, one row a finding, the highest score first."""
        return pd.DataFrame(
            {
                "profile_id": pd.Series([f.profile_id for f in self.findings], dtype="str"),
                "source": pd.Series([f.source for f in self.findings], dtype="str"),
                "target": pd.Series([f.target for f in self.findings], dtype="str"),
                "unit": pd.Series([f.unit for f in self.findings], dtype="str"),
                "value": pd.Series([f.value for f in self.findings], dtype="float64"),
                "status": pd.Series([f.status.label for f in self.findings], dtype="str"),
                "n_others": pd.Series([len(f.others) for f in self.findings], dtype="int64"),
                "median_of_others": pd.Series(
                    [f.median_of_others for f in self.findings], dtype="float64"
                ),
                "spread": pd.Series([f.spread for f in self.findings], dtype="float64"),
                "score": pd.Series([f.score for f in self.findings], dtype="float64"),
                "undecided": pd.Series([f.undecided for f in self.findings], dtype="bool"),
                "why": pd.Series([f.why for f in self.findings], dtype="str"),
            }
        )

    def __repr__(self) -> str:
        profiles = len({f.profile_id for f in self.findings})
        sources = len({f.source for f in self.findings})
        judged = sum(s.n_values for s in self.spreads if s.degrees_of_freedom)
        return (
            f"<OutlierFindings: {len(self)} of {judged} values named, of {profiles} profiles in "
            f"{sources} sources; score above {self.threshold:g}>"
        )

    def _repr_html_(self) -> str:
        heads = ("profile", "source", "target", "value", "others", "spread", "score", "why")
        body = []
        for f in self.findings[:_ROWS_IN_HTML]:
            others = ", ".join(f"{x:g}" for x in f.others[:_OTHERS_IN_HTML])
            more = len(f.others) - _OTHERS_IN_HTML
            cells = (
                f.profile_id,
                f.source,
                f.target,
                f"{f.value:g} {f.unit}",
                f"{others} and {more} more" if more > 0 else others,
                f"{f.spread:.3g}",
                f"{f.score:.1f}",
                f.why,
            )
            body.append("".join(f"<td>{html.escape(cell)}</td>" for cell in cells))
        shown = "all shown" if len(body) == len(self) else f"first {len(body)} shown"
        notes = [self.rule, *(note.text for note in self.notes)]
        unjudged = [s.target for s in self.spreads if not s.degrees_of_freedom]
        if unjudged:
            notes.append(f"Not judged, for want of replicates: {listed(unjudged)}.")
        return (
            f"<table><caption>{html.escape(repr(self)[1:-1])}; {shown}. "
            f"{html.escape(' '.join(notes))}</caption><thead><tr>"
            + "".join(f"<th>{head}</th>" for head in heads)
            + "</tr></thead><tbody>"
            + "".join(f"<tr>{row}</tr>" for row in body)
            + "</tbody></table>"
        )

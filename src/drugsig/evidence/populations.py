"""Population rules: which pairs of profiles are known to share, or not to share, a source.

A rule is explicit and written down, its conditions put together with ``&``, ``|`` and ``~``. That
two specimens come from one seizure never makes them linked by itself: a seizure may hold several
batches.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar

from drugsig._check import choose, did_you_mean, listed, nearest, one_line_text
from drugsig._notes import Note
from drugsig.errors import (
    CircularRuleWarning,
    ConfigError,
    DrugsigWarning,
    InputError,
    MetadataError,
    UnknownNameError,
)
from drugsig.evidence.conditions import Condition, GroupSize, PairCondition, names_of
from drugsig.profiles.labels import (
    SPECIMEN_COLUMN,
    NearlyKnownColumn,
    look_alike_notes,
    nearly_named,
    not_known_notes,
)
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "DEFAULT_SEQUENCE",
    "DEFAULT_SPECIMEN",
    "PRESETS",
    "CircularRule",
    "ExcludedInVain",
    "GroupSize",
    "LimitedPurpose",
    "PairCondition",
    "PopulationRule",
    "circular_notes",
    "get_rule",
    "label_notes",
    "names_of",
    "own_results",
]

# Columns of the tables of groups and of links that drugsig writes: where they stand together, they
# are its own results.
OWN_TABLES = (
    ("group", "group_size", "component", "state"),
    ("reference", "score", "threshold", "few_detected"),
    ("reference", "score", "measured_in_both", "few_detected"),
)
# As drugsig names its groups.
_GROUP_NAME = re.compile(r"G[0-9]{3,}")

# The columns that name the specimen and the analytical series unless a rule names others.
DEFAULT_SPECIMEN = SPECIMEN_COLUMN
DEFAULT_SEQUENCE = "sequence_id"


@dataclass(frozen=True)
class ExcludedInVain(Note):
    """A rule leaves out a text that no profile has.

    Look for a text that is written differently in the rule and in the metadata.
    """

    code: ClassVar[str] = "excluded-in-vain"
    rule: str
    condition: str

    def __str__(self) -> str:
        return (
            f"population rule '{self.rule}' leaves out {self.condition}, but no profile has that "
            "text."
        )


@dataclass(frozen=True)
class CircularRule(Note):
    """A rule looks at a column derived from the profile itself.

    Choose a rule by what is known apart from the profile, as the seizure or the batch.
    """

    code: ClassVar[str] = "circular-rule"
    category: ClassVar[type[DrugsigWarning] | None] = CircularRuleWarning
    rule: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"population rule '{self.rule}' uses {', '.join(self.columns)}, derived from the "
            "profile itself: pairs are called unlinked because their profiles differ, so the "
            "rates are better than they would be in casework."
        )


@dataclass(frozen=True)
class LimitedPurpose(Note):
    """The population rule says what it is for, and that is less than casework.

    Use the rates for what the rule is made for, and no further.
    """

    code: ClassVar[str] = "limited-purpose"
    category: ClassVar[type[DrugsigWarning] | None] = None
    rule: str
    purpose: str

    def __str__(self) -> str:
        return f"It is {self.purpose}."


@dataclass(frozen=True)
class PopulationRule:
    """Which pairs are known to share the source (linked) and which are known not to (unlinked).

    Parameters
    ----------
    name : str
        What reports call the rule.
    linked, unlinked : Condition
        A `PairCondition`, or several put together with ``&``, ``|`` and ``~``. A pair for which
        neither holds, or neither can be decided, is not used.
    source : tuple of str
        The columns whose texts together name the source. Rates are resampled over sources, not
        pairs, because the pairs of one source depend on each other.
    source_level : str
        What "source" means here: a production batch, a laboratory, a route ...
    exclude : mapping of str to tuple of str
        Profiles with one of these texts in a column are left out of the rule.
    specimen : str, optional
        The column that names the specimen: two profiles of one specimen are never a pair. By
        default ``specimen_id``, where the profiles have such a column.
    seizure : str
        The column that names the seizure, for rates by stratum.
    strata : tuple of str
        Rates are also given for pairs of different seizures that agree in all these columns.
    derived : tuple of str
        Columns that were themselves derived from the profile: a rule that uses one is circular.
    purpose : str
        What the rule may be used for, if that is limited.
    sequence : str, optional
        The column that names the analytical series in which a profile was measured. By default
        ``sequence_id``, where the profiles have such a column.
    same_sequence : bool
        Whether linked pairs may be of one sequence. By default they may not, where a column names
        the sequence: what was measured in one series is more alike than what was measured in two,
        and casework compares across series.

    Examples
    --------
    >>> rule = PopulationRule.from_data({
    ...     "name": "known batches",
    ...     "source": ["batch_id"],
    ...     "linked": {"same": ["batch_id"]},
    ...     "unlinked": {"different": ["batch_id"]},
    ... })
    >>> print(rule.linked)
    the same batch_id
    """

    name: str
    linked: Condition
    unlinked: Condition
    source: tuple[str, ...]
    source_level: str = "source"
    exclude: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    specimen: str | None = None
    seizure: str = "seizure_id"
    strata: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    purpose: str = ""
    sequence: str | None = None
    same_sequence: bool = False

    def __post_init__(self) -> None:
        one_line_text(self.name, what="the name of a population rule")
        if not self.source:
            raise InputError(
                f"population rule '{self.name}' must say which column names the source, for "
                "example source=('batch_id',)"
            )
        if not isinstance(self.same_sequence, bool):
            raise InputError(
                f"same_sequence of population rule '{self.name}' must be true or false, got "
                f"{self.same_sequence!r}"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The metadata columns the rule needs."""
        return tuple(
            dict.fromkeys(
                (
                    *self.linked.columns,
                    *self.unlinked.columns,
                    *self.source,
                    *self.exclude,
                    *(() if self.specimen is None else (self.specimen,)),
                    *(() if self.sequence is None else (self.sequence,)),
                    *self.strata,
                    *((self.seizure,) if self.strata else ()),
                )
            )
        )

    @property
    def circular(self) -> tuple[str, ...]:
        """The columns of the rule that are derived from the profile itself."""
        used = (*self.linked.columns, *self.unlinked.columns)
        return tuple(c for c in self.derived if c in used)

    def check(self, profiles: ProfileSet, /) -> None:
        """Refuse profiles that lack a column of the rule.

        Raises
        ------
        MetadataError
            With the columns that are missing and those there are.
        """
        there = ("profile_id", *profiles.metadata_columns)
        lacking = [c for c in self.columns if c not in there]
        if lacking:
            raise MetadataError(
                f"population rule '{self.name}' needs the metadata column(s) {listed(lacking)}, "
                f"which profile set '{profiles.name}' lacks. Its columns are "
                f"{listed(there, most=40)}."
            )

    def specimen_column(self, profiles: ProfileSet, /) -> str | None:
        """Return the column that names the specimen of these profiles; None if there is none."""
        if self.specimen is not None:
            return self.specimen
        return DEFAULT_SPECIMEN if DEFAULT_SPECIMEN in profiles.metadata_columns else None

    def sequence_column(self, profiles: ProfileSet, /) -> str | None:
        """Return the column that names the sequence of these profiles; None if there is none."""
        if self.sequence is not None:
            return self.sequence
        return DEFAULT_SEQUENCE if DEFAULT_SEQUENCE in profiles.metadata_columns else None

    def naming_columns(self, profiles: ProfileSet, /) -> tuple[str, ...]:
        """Return the columns whose texts name something: all but those that only leave out."""
        own = (self.specimen_column(profiles), self.sequence_column(profiles))
        named = replace(self, exclude={}).columns
        return tuple(dict.fromkeys((*named, *(c for c in own if c is not None))))

    def unmatched(self, profiles: ProfileSet, /) -> tuple[str, ...]:
        """Return what the rule excludes and these profiles never have: ``"column = text"``.

        Raises
        ------
        MetadataError
            If such a text is nearly one that occurs: then it is probably misspelled, and the
            profiles it should leave out would teach the threshold.
        """
        out = []
        for column, texts in self.exclude.items():
            there = sorted({t for t in profiles.column(column) if t is not None})
            for text in texts:
                if text in there:
                    continue
                near = nearest(text, there)
                if near is not None:
                    raise MetadataError(
                        f"population rule '{self.name}' leaves out {column} = '{text}', which does "
                        f"not occur; '{near}' does. Correct the rule: texts must be written as in "
                        "the table."
                    )
                out.append(f"{column} = {text}")
        return tuple(out)

    def left_out(self, profiles: ProfileSet, /) -> dict[str, str]:
        """Return the profiles the rule leaves out, and why: ``{id: "column = text"}``."""
        out: dict[str, str] = {}
        for column, texts in self.exclude.items():
            for name, text in zip(profiles.ids, profiles.column(column), strict=True):
                if text in texts and name not in out:
                    out[name] = f"{column} = {text}"
        return out

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> PopulationRule:
        """Read a rule from data, as in an analysis file; ``{"preset": "R4"}`` names a preset.

        Raises
        ------
        ConfigError
            If something is missing or of the wrong kind.
        UnknownNameError
            If a key or preset is not known.
        """
        if not isinstance(data, Mapping):
            raise ConfigError(f"a population rule must be a table, got {data!r}")
        if "preset" in data:
            if set(data) != {"preset"}:
                raise ConfigError(
                    "a population rule is either a preset or written out, got preset together with "
                    f"{listed(k for k in data if k != 'preset')}"
                )
            return get_rule(data["preset"])
        known = tuple(cls.__dataclass_fields__)
        for key in data:
            choose(key, known, what="key of the population rule")
        for key in ("name", "linked", "unlinked", "source"):
            if key not in data:
                raise ConfigError(
                    f"the population rule lacks '{key}'. It needs name, linked, "
                    "unlinked and source."
                )
        exclude = data.get("exclude", {})
        if not isinstance(exclude, Mapping):
            raise ConfigError(f"exclude of the population rule must be a table, got {exclude!r}")
        words = ("source_level", "specimen", "seizure", "purpose", "sequence")
        texts = {k: data[k] for k in words if k in data}
        for key, value in texts.items():
            if not isinstance(value, str):
                raise ConfigError(f"{key} of the population rule must be text, got {value!r}")
        for key in ("linked", "unlinked"):
            if not isinstance(data[key], Mapping):
                raise ConfigError(f"{key} of the population rule must be a table")
        same_sequence = data.get("same_sequence", False)
        if not isinstance(same_sequence, bool):
            raise ConfigError(
                f"same_sequence of the population rule must be true or false, got {same_sequence!r}"
            )
        return cls(
            name=data["name"],
            linked=Condition.from_data(data["linked"], where="linked pairs"),
            unlinked=Condition.from_data(data["unlinked"], where="unlinked pairs"),
            source=names_of(data["source"], where="source"),
            exclude=MappingProxyType(
                {k: names_of(v, where=f"exclude.{k}") for k, v in exclude.items()}
            ),
            strata=names_of(data.get("strata", ()), where="strata"),
            derived=names_of(data.get("derived", ()), where="derived"),
            same_sequence=same_sequence,
            **texts,
        )

    def to_data(self) -> dict[str, Any]:
        """Return the rule as data that `from_data` reads."""
        if self.name in PRESETS and PRESETS[self.name] is self:
            return {"preset": self.name}
        data: dict[str, Any] = {
            "name": self.name,
            "source_level": self.source_level,
            "source": list(self.source),
            "linked": self.linked.to_data(),
            "unlinked": self.unlinked.to_data(),
            "seizure": self.seizure,
        }
        if self.specimen is not None:
            data["specimen"] = self.specimen
        if self.exclude:
            data["exclude"] = {k: list(v) for k, v in self.exclude.items()}
        for key in ("strata", "derived"):
            if getattr(self, key):
                data[key] = list(getattr(self, key))
        if self.purpose:
            data["purpose"] = self.purpose
        if self.sequence is not None:
            data["sequence"] = self.sequence
        if self.same_sequence:
            data["same_sequence"] = True
        return data

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_rule, (self.to_data(),)


def label_notes(rule: PopulationRule, profiles: ProfileSet, /) -> tuple[Note, ...]:
    """Return what must be said of the texts that a rule looks at.

    It leaves out what no profile has; texts that mean *not known* were taken as empty; labels that
    read the same count as different.

    Parameters
    ----------
    rule : PopulationRule
        Names the columns.
    profiles : ProfileSet
        With these columns.

    Raises
    ------
    MetadataError
        As from `PopulationRule.unmatched`.
    """
    in_vain = [ExcludedInVain(rule.name, text) for text in rule.unmatched(profiles)]
    named = rule.naming_columns(profiles)
    not_known = not_known_notes(profiles, named, left_out=rule.left_out(profiles))
    return (
        *in_vain,
        *not_known,
        *look_alike_notes(profiles, named),
        *_nearly_known(rule, profiles, named),
    )


def _nearly_known(
    rule: PopulationRule, profiles: ProfileSet, named: Sequence[str]
) -> Iterator[Note]:
    """Yield what must be said of columns that would count if they were named a little otherwise."""
    for key, known in (("specimen", DEFAULT_SPECIMEN), ("sequence", DEFAULT_SEQUENCE)):
        if getattr(rule, key) is None and not (key == "sequence" and rule.same_sequence):
            for column in nearly_named(profiles, known):
                if column not in named:
                    yield NearlyKnownColumn(
                        column, known, f"{key} = '{column}' in the population rule"
                    )


def circular_notes(rule: PopulationRule, /) -> tuple[Note, ...]:
    """Return what must be said of a rule that looks at a column derived from the profile."""
    return (CircularRule(rule.name, rule.circular),) if rule.circular else ()


def own_results(profiles: ProfileSet, columns: Iterable[str], /) -> tuple[str, ...]:
    """Return those of the columns that are results of drugsig on these or other profiles.

    They are told by the columns of a table that drugsig wrote standing together, or by texts that
    number groups as drugsig does, the largest first.

    Parameters
    ----------
    profiles : ProfileSet
        With metadata.
    columns : iterable of str
        Which are asked about; those that are not there are none.
    """
    there = set(profiles.metadata_columns)
    written = {c for table in OWN_TABLES if set(table) <= there for c in table}
    return tuple(
        c
        for c in dict.fromkeys(columns)
        if c in there and (c in written or _numbers_groups(profiles.column(c)))
    )


def _numbers_groups(texts: Iterable[str | None]) -> bool:
    sizes = Counter(text for text in texts if text is not None)
    if len(sizes) < 2 or not all(_GROUP_NAME.fullmatch(name) for name in sizes):
        return False
    by_number = {int(name[1:]): size for name, size in sizes.items()}
    ordered = [by_number.get(k, 0) for k in range(1, len(sizes) + 1)]
    return all(ordered) and ordered == sorted(ordered, reverse=True)


def _restore_rule(data: Mapping[str, Any]) -> PopulationRule:
    return PopulationRule.from_data(data)


# -- the rules of a published study --------------------------------------------------------


def _presets() -> Mapping[str, PopulationRule]:
    """Rules R1-R4 of Popovic et al., Forensic Science International 319 (2021) 110651.

    The columns are those of the published workbook. Route is inferred largely from the
    impurities themselves, so R3 and R4 are probably circular.
    """
    group, route = "Group", ("PriR", "Pre", "PreR")
    linked_size, single = GroupSize(group, 2, 10), GroupSize(group, 1, 1)
    everything_differs = PairCondition(different=(group, *route))
    common: dict[str, Any] = {
        "source": (group,),
        "source_level": "seizure, taken as one source",
        "specimen": "profile_id",
        "seizure": group,
        "strata": route,
        "derived": route,
        "purpose": "for reproduction of the published study; not for casework",
    }
    rules = [
        PopulationRule(
            "R1", PairCondition(same=(group,)), PairCondition(different=(group,)), **common
        ),
        PopulationRule(
            "R2",
            PairCondition(same=(group,), group_size=linked_size),
            PairCondition(different=(group,), group_size=single),
            **common,
        ),
        PopulationRule("R3", PairCondition(same=(group, *route)), everything_differs, **common),
        PopulationRule(
            "R4",
            PairCondition(same=(group, *route), group_size=linked_size),
            everything_differs,
            **common,
        ),
    ]
    return MappingProxyType({r.name: r for r in rules})


PRESETS = _presets()


def get_rule(rule: PopulationRule | str, profiles: ProfileSet | None = None, /) -> PopulationRule:
    """Return a rule as it is, and a name as the rule of a published study, to reproduce that study.

    Parameters
    ----------
    rule : PopulationRule or str
        A rule, or one of the names of `PRESETS`.
    profiles : ProfileSet, optional
        What it is for. Columns of theirs that are drugsig's own results, as groups of an earlier
        analysis, are then marked as derived from the profiles.

    Returns
    -------
    PopulationRule
        The rule.

    Raises
    ------
    UnknownNameError
        If there is no such preset.
    """
    found = PRESETS.get(rule) if isinstance(rule, str) else rule
    if isinstance(found, PopulationRule):
        own = () if profiles is None else own_results(profiles, found.columns)
        new = [c for c in own if c not in found.derived]
        return replace(found, derived=(*found.derived, *new)) if new else found
    raise UnknownNameError(
        f"'{rule}' is no preset population rule. {did_you_mean(str(rule), tuple(PRESETS))} Any "
        "other rule is written in a TOML file with a section [population].",
        name=str(rule),
        known=tuple(PRESETS),
    )

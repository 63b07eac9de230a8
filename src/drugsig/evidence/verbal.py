"""Words for likelihood ratios that are calibrated and bounded, on scales that are data."""

from __future__ import annotations

import itertools
import math
import string
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from drugsig._check import choose, is_number, is_whole, listed, one_line_text
from drugsig._files import MOST_SETTINGS, parsed_toml, read_whole
from drugsig.errors import InputError, ReadError
from drugsig.evidence.evidence import NOT_A_POSTERIOR, Evidence

__all__ = [
    "VerbalLevel",
    "VerbalScale",
    "VerbalStatement",
    "list_verbal_scales",
    "load_verbal_scale",
    "verbal_statement",
]

_FOLDER = ("data", "verbal_scales")
_ENDING = ".toml"
_TEXTS = ("name", "title", "language", "source", "verification", "neutral", "statement")
_BLANKS = {
    "neutral": {"h1", "h2"},
    "statement": {"expression", "favoured", "other"},
}


@dataclass(frozen=True)
class VerbalLevel:
    """One step of a scale.

    Parameters
    ----------
    expression : str
        The words.
    limit : float
        The LR at which it ends, turned round where the LR is below 1; infinite for the last.
    includes_limit : bool
        Whether an LR of exactly the limit still belongs to it.
    neutral : bool
        Whether it supports neither proposition.
    """

    expression: str
    limit: float
    includes_limit: bool
    neutral: bool = False

    def holds(self, magnitude: float, /) -> bool:
        """Say whether an LR of this magnitude ends here or before.

        Parameters
        ----------
        magnitude : float
            The log10 LR without its sign.
        """
        limit = math.inf if math.isinf(self.limit) else math.log10(self.limit)
        return magnitude <= limit if self.includes_limit else magnitude < limit


@dataclass(frozen=True)
class VerbalScale:
    """What to call likelihood ratios of each size.

    Parameters
    ----------
    name, title : str
        Short and in full.
    language : str
        Two letters.
    source : str
        Who published it.
    verified : bool
        Whether its limits were compared with a source that is named.
    verification : str
        What was compared, or not.
    neutral, statement : str
        Sentences with blanks: ``{h1}`` and ``{h2}``; ``{expression}``, ``{favoured}`` and
        ``{other}``.
    levels : tuple of VerbalLevel
        From the weakest to the strongest.
    """

    name: str
    title: str
    language: str
    source: str
    verified: bool
    verification: str
    neutral: str
    statement: str
    levels: tuple[VerbalLevel, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> VerbalScale:
        """Return a scale from what a scale file holds.

        Parameters
        ----------
        data : mapping
            As in the files that come with drugsig.

        Raises
        ------
        InputError
            If a part is missing or unknown, or the limits do not rise.
        """
        known = {*_TEXTS, "verified", "levels"}
        if set(data) != known:
            raise InputError(
                "a verbal scale must have the parts "
                f"{listed(sorted(known), most=20)}; missing: {sorted(known - set(data))}, "
                f"unknown: {sorted(set(data) - known)}"
            )
        texts = {key: one_line_text(data[key], what=f"{key} of a verbal scale") for key in _TEXTS}
        for key, blanks in _BLANKS.items():
            found = _blanks_in(texts[key])
            if found != blanks:
                raise InputError(
                    f"the {key} sentence of verbal scale '{texts['name']}' must have the blanks "
                    f"{listed(sorted(blanks))}, got {sorted(found)}: both propositions are always "
                    "said"
                )
        if not isinstance(data["verified"], bool):
            raise InputError(
                f"verified of verbal scale '{texts['name']}' must be true or false, got "
                f"{data['verified']!r}"
            )
        return cls(**texts, verified=data["verified"], levels=_levels(data, texts["name"]))

    def level(self, log10_lr: float, /) -> VerbalLevel:
        """Return the step that a log10 LR falls on, whichever proposition it supports.

        Parameters
        ----------
        log10_lr : float
            Finite.
        """
        magnitude = abs(float(log10_lr))
        if not math.isfinite(magnitude):
            raise InputError(
                f"a log10 LR of {log10_lr} has no words: bound it first (drugsig.evidence.bounds)"
            )
        return next(level for level in self.levels if level.holds(magnitude))


@dataclass(frozen=True)
class VerbalStatement:
    """What may be said of one pair.

    Parameters
    ----------
    text : str
        The statement, with both propositions and the source level.
    expression : str
        The step of the scale alone.
    log10_lr : float
        The value behind it, bounded.
    at_bound : bool
        Whether the value is a bound because the model gave a more extreme one.
    scale : VerbalScale
        Where the words come from.
    notes : tuple of str
        What must be said beside it.
    """

    text: str
    expression: str
    log10_lr: float
    at_bound: bool
    scale: VerbalScale
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.text, *self.notes))


def list_verbal_scales() -> tuple[str, ...]:
    """Return the names of the scales that come with drugsig, in alphabetical order.

    Examples
    --------
    >>> list_verbal_scales()
    ('enfsi-2015', 'lucy-2013', 'nfc-2012')
    """
    folder = resources.files("drugsig.evidence").joinpath(*_FOLDER)
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)))


def load_verbal_scale(name_or_path: str | Path, /) -> VerbalScale:
    """Return a scale that comes with drugsig, or one from a file.

    Parameters
    ----------
    name_or_path : str or Path
        A name from `list_verbal_scales`, or the path of a TOML file of the same form, which ends
        with ``.toml``.

    Returns
    -------
    VerbalScale
        The scale.

    Raises
    ------
    UnknownNameError
        If no scale has this name; the message names the nearest.
    ReadError
        If the file cannot be read or used.

    Examples
    --------
    >>> load_verbal_scale("enfsi-2015").level(1.5).expression
    'moderate support'
    """
    if isinstance(name_or_path, str) and not name_or_path.endswith(_ENDING):
        name = choose(name_or_path, list_verbal_scales(), what="verbal scale")
        place = resources.files("drugsig.evidence").joinpath(*_FOLDER, name + _ENDING)
        return VerbalScale.from_data(parsed_toml(place.read_bytes()))
    path = Path(name_or_path)
    try:
        return VerbalScale.from_data(parsed_toml(read_whole(path, most=MOST_SETTINGS)))
    except (OSError, ValueError) as error:
        raise ReadError(f"verbal scale file '{path}' cannot be used: {error}", path=path) from error


def verbal_statement(
    evidence: Evidence, /, *, scale: str | Path | VerbalScale, pair: int | None = None
) -> VerbalStatement:
    """Say a likelihood ratio in words, with both propositions and the source level.

    Parameters
    ----------
    evidence : Evidence
        Calibrated and bounded.
    scale : str, Path or VerbalScale
        A name from `list_verbal_scales`, a file, or a scale. There is no default: a laboratory
        chooses its scale and keeps to it.
    pair : int, optional
        Which pair, by its place; may be left out where there is one.

    Returns
    -------
    VerbalStatement
        The statement and what must be said beside it.

    Raises
    ------
    InputError
        If the evidence is not calibrated or not bounded, or it is not clear which pair is meant.

    Examples
    --------
    >>> from drugsig.evidence.bounds import Bounds
    >>> from drugsig.evidence.evidence import bounded_evidence
    >>> found = bounded_evidence(
    ...     [1.5], h1="they share a batch", h2="they do not share a batch",
    ...     source_level="production batch", calibrated=True,
    ...     bounds=Bounds(-1.5, 2.0, "ELUB", 99, 4851),
    ... )
    >>> verbal_statement(found, scale="lucy-2013").expression
    'moderate support'
    """
    if not isinstance(evidence, Evidence):
        raise InputError(
            f"a statement in words needs an Evidence, got {type(evidence).__name__}: a bare number "
            "has no propositions. Use bounded_evidence of drugsig.evidence.evidence."
        )
    if not evidence.calibrated or evidence.bounds is None:
        raise InputError(
            f"these likelihood ratios are {evidence.state}, and words are for ones that are both "
            "calibrated and bounded. Calibrate on pairs of known source, find the range they "
            "support with drugsig.evidence.bounds, and report the number until then."
        )
    place = _pair(evidence, pair)
    known = scale if isinstance(scale, VerbalScale) else load_verbal_scale(scale)
    value = float(evidence.log10_lr[place])
    level = known.level(value)
    if level.neutral:
        text = known.neutral.format(h1=evidence.h1, h2=evidence.h2)
    else:
        favoured, other = evidence.h1, evidence.h2
        if value < 0:
            favoured, other = other, favoured
        text = known.statement.format(expression=level.expression, favoured=favoured, other=other)
    at_bound = bool(evidence.at_bound[place])
    return VerbalStatement(
        text=f"{text} The propositions speak of the level of the {evidence.source_level}.",
        expression=level.expression,
        log10_lr=value,
        at_bound=at_bound,
        scale=known,
        notes=_notes(evidence, known, at_bound=at_bound),
    )


def _pair(evidence: Evidence, pair: int | None) -> int:
    n = len(evidence)
    if pair is None:
        if n != 1:
            raise InputError(f"there are {n} pairs: say which one is meant, as in pair=0")
        return 0
    if not is_whole(pair) or not 0 <= pair < n:
        raise InputError(f"pair must be a place from 0 to {n - 1}, got {pair!r}")
    return pair


def _notes(evidence: Evidence, scale: VerbalScale, *, at_bound: bool) -> tuple[str, ...]:
    notes = [NOT_A_POSTERIOR]
    if at_bound:
        notes.append(
            "The likelihood ratio is reported at its bound: the data behind the model do not "
            f"support a more extreme one ({evidence.bounds})."
        )
    if evidence.search_statement:
        notes.append(evidence.search_statement)
    words = f"Words after {scale.source}."
    if not scale.verified:
        words += f" This scale is not verified: {scale.verification}"
    notes.append(words)
    return tuple(notes)


def _blanks_in(sentence: str) -> set[str]:
    """Return the blanks of a sentence; an attribute or an index in one is a name of its own."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
    except ValueError as error:
        raise InputError(f"the sentence {sentence!r} has an open bracket: {error}") from error


def _levels(data: Mapping[str, Any], name: str) -> tuple[VerbalLevel, ...]:
    found = data["levels"]
    if not isinstance(found, list) or len(found) < 2:
        raise InputError(f"verbal scale '{name}' must have at least two levels")
    levels: list[VerbalLevel] = []
    for place, entry in enumerate(found, start=1):
        last = place == len(found)
        limits = {"below", "up_to"} & set(entry)
        unknown = set(entry) - {"below", "up_to", "expression", "neutral"}
        if unknown or len(limits) != (0 if last else 1):
            raise InputError(
                f"level {place} of verbal scale '{name}' must have an expression, and either "
                "'below' or 'up_to' as its end unless it is the last, which has none; got "
                f"{sorted(entry)}"
            )
        key = next(iter(limits), None)
        levels.append(
            VerbalLevel(
                expression=one_line_text(entry.get("expression"), what="expression of a level"),
                limit=math.inf if key is None else _limit(entry[key], name),
                includes_limit=key != "below",
                neutral=bool(entry.get("neutral", False)),
            )
        )
    ends = [level.limit for level in levels]
    neutral = [level.neutral for level in levels]
    rising = all(a < b for a, b in itertools.pairwise(ends))
    if not (rising and levels[0].holds(0.0) and neutral[0] and not any(neutral[1:])):
        raise InputError(
            f"the levels of verbal scale '{name}' must rise from the only neutral one, which holds "
            f"an LR of 1; they end at {ends}, and neutral are {neutral}"
        )
    return tuple(levels)


def _limit(value: object, name: str) -> float:
    if not is_number(value) or not 1 <= value < math.inf:
        raise InputError(
            f"a limit of verbal scale '{name}' must be an LR of at least 1, got {value!r}: for LRs "
            "below 1 the same limits count, turned round"
        )
    return float(value)

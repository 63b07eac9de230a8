"""`Recipe`: a pretreatment as text and as data."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drugsig._check import choose, did_you_mean
from drugsig._files import canonical_json
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment.rule import StepRule
from drugsig.profiles.pretreatment.steps import STEPS
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["Recipe", "RecipeStep"]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<mark>[|(),=])
      | (?P<word>[^\s|(),="]+)
    )""",
    re.VERBOSE,
)
# No recipe that a reader follows has as many.
_MOST_STEPS = 50

_PLAIN_WORD = re.compile(r"[^\s|(),=\"]+")


@dataclass(frozen=True)
class RecipeStep:
    """One step of a recipe.

    Parameters
    ----------
    name : str
        A name of the registry.
    parameters_json : str
        All its parameters, as canonical JSON.
    learned_json : str or None
        What it learned from a set of profiles, as canonical JSON; None before it has learned.
    """

    name: str
    parameters_json: str
    learned_json: str | None = None

    @classmethod
    def make(
        cls,
        name: str,
        parameters: Mapping[str, Any],
        learned: Mapping[str, Any] | None = None,
    ) -> RecipeStep:
        """Make a step, with the defaults of the registry for what is not given.

        Raises
        ------
        UnknownNameError
            If there is no such step or parameter.
        RecipeError
            If a parameter has the wrong kind of value.
        """
        rule = STEPS[choose(name, tuple(STEPS), what="pretreatment step")]
        for what, given in (("parameters", parameters), ("learned", learned)):
            if not isinstance(given, Mapping) and not (what == "learned" and given is None):
                raise RecipeError(f"{what} of step '{name}' must be a mapping, got {given!r}")
        full = dict(rule.defaults)
        for key, value in parameters.items():
            choose(key, tuple(rule.defaults), what=f"parameter of step '{name}'")
            full[key] = _checked(name, key, value, rule)
        if rule.positional and not full[rule.positional]:
            raise RecipeError(f"step '{name}' needs names in parentheses: {name}(first, second)")
        frozen = None if learned is None else canonical_json(dict(learned))
        return cls(name, canonical_json(full), frozen)

    @property
    def rule(self) -> StepRule:
        """The registered rule."""
        return STEPS[self.name]

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters, as a new mapping."""
        parsed: dict[str, Any] = json.loads(self.parameters_json)
        return parsed

    @property
    def learned(self) -> dict[str, Any] | None:
        """What the step learned, or None."""
        return None if self.learned_json is None else json.loads(self.learned_json)

    def to_data(self) -> dict[str, Any]:
        """Return the step as data: ``{"step", "parameters", "learned"}``."""
        # A parameter that is not set is left out: not every format has a word for nothing.
        set_ones = {key: x for key, x in self.parameters.items() if x is not None}
        data: dict[str, Any] = {"step": self.name, "parameters": set_ones}
        if self.learned_json is not None:
            data["learned"] = self.learned
        return data

    def __str__(self) -> str:
        words: list[str] = []
        for key, value in self.parameters.items():
            if key == self.rule.positional:
                words += [_as_word(v) for v in value]
            elif value != self.rule.defaults[key]:
                words.append(f"{key}={_as_word(value)}")
        return f"{self.name}({', '.join(words)})" if words else self.name


@dataclass(frozen=True)
class Recipe:
    """Pretreatment steps in the order in which they are applied.

    Written as text, ``"sum | fourth_root"``, or as data, a list of mappings. A recipe that has
    been applied is frozen: it holds what each step learned, and does the same to other profiles.

    Parameters
    ----------
    steps : tuple of RecipeStep
        In order.

    Examples
    --------
    >>> recipe = Recipe.parse("keep_detected(share=0.8) | sum | log10(scale=1000)")
    >>> len(recipe.steps), recipe.is_frozen
    (3, False)
    >>> Recipe.parse(str(recipe)) == recipe
    True
    """

    steps: tuple[RecipeStep, ...]

    @classmethod
    def parse(cls, text: str, /) -> Recipe:
        """Read a recipe from text.

        Parameters
        ----------
        text : str
            Steps with ``|`` between them, parameters in parentheses. A name that holds blanks
            or any of ``|(),="`` stands in double quotes.

        Raises
        ------
        RecipeError
            If the text cannot be read; the message names the place.
        UnknownNameError
            If a step or parameter is not known; the message names the nearest.
        """
        if not text.strip():
            return cls(())
        return cls(tuple(_Reader(text).steps()))

    @classmethod
    def from_data(cls, data: Sequence[Mapping[str, Any]], /) -> Recipe:
        """Read a recipe from data as written by `to_data`.

        Raises
        ------
        RecipeError
            If an entry is not a mapping with a ``step``.
        """
        steps = []
        for place, entry in enumerate(data, start=1):
            if not isinstance(entry, Mapping) or "step" not in entry:
                raise RecipeError(
                    f"entry {place} of the recipe must be a mapping with 'step', got {entry!r}"
                )
            for key in entry:
                choose(key, ("step", "parameters", "learned"), what=f"key of recipe entry {place}")
            steps.append(
                RecipeStep.make(entry["step"], entry.get("parameters", {}), entry.get("learned"))
            )
        return cls(tuple(steps))

    @classmethod
    def of(cls, profiles: ProfileSet, /) -> Recipe:
        """Return the frozen recipe that made these profiles what they are."""
        return cls.from_data(profiles.pretreatment)

    @classmethod
    def coerce(cls, recipe: Recipe | str | Sequence[Mapping[str, Any]], /) -> Recipe:
        """Return a recipe from a recipe, its text or its data."""
        if isinstance(recipe, Recipe):
            return recipe
        return cls.parse(recipe) if isinstance(recipe, str) else cls.from_data(recipe)

    @property
    def is_frozen(self) -> bool:
        """Whether every step knows what it needs from data."""
        return all(s.learned_json is not None for s in self.steps)

    def to_data(self) -> list[dict[str, Any]]:
        """Return the recipe as data that can be written as JSON."""
        return [s.to_data() for s in self.steps]

    def __str__(self) -> str:
        return " | ".join(str(s) for s in self.steps)

    def __repr__(self) -> str:
        state = "frozen" if self.steps and self.is_frozen else "not learned yet"
        return f"<Recipe '{self}', {state}>"


def _checked(step: str, key: str, value: object, rule: StepRule) -> object:
    if key == rule.positional:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
            raise RecipeError(f"step '{step}' takes names for {key}, got {value!r}")
        return list(names)
    default = rule.defaults[key]
    if value is None and default is None:
        return None
    wants_text = isinstance(default, str) or key == "target"
    if wants_text != isinstance(value, str) or isinstance(value, bool):
        kind = "a name" if wants_text else "a number"
        raise RecipeError(f"step '{step}' takes {kind} for {key}, got {value!r}")
    if isinstance(value, str):
        return value
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RecipeError(f"step '{step}' takes a finite number for {key}, got {value!r}")
    # 1 and 1.0 are one recipe, with one digest.
    return int(value) if float(value).is_integer() else float(value)


def _as_word(value: object) -> str:
    if isinstance(value, str):
        plain = _PLAIN_WORD.fullmatch(value) and not _is_number(value)
        return value if plain else json.dumps(value, ensure_ascii=False)
    return repr(value)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _unquoted(word: str, text: str) -> str:
    try:
        return str(json.loads(word))
    except json.JSONDecodeError as error:
        raise RecipeError(
            f"recipe '{text}' holds {word}, which cannot be read: within quotation marks a "
            'backslash is written \\\\ and a quotation mark \\".'
        ) from error


def _value(kind: str, word: str, text: str) -> Any:
    if kind == "quoted":
        return _unquoted(word, text)
    if _is_number(word):
        number = float(word)
        return int(word) if re.fullmatch(r"[+-]?\d+", word) else number
    return word


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise RecipeError(
                f"recipe '{text}' cannot be read from place {place}: '{text[place : place + 20]}'. "
                "A quotation mark is not closed."
            )
        kind = str(match.lastgroup)
        found.append((kind, match.group(kind), match.start(kind)))
        place = match.end()
    return found


class _Reader:
    """Reads the steps of a recipe from its tokens, one after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [*_tokens(text), ("end", "", len(text))]
        self.place = 0

    def at(self, mark: str) -> bool:
        return self.tokens[self.place][:2] == ("mark", mark)

    def take(self, expected: str, *kinds: str) -> tuple[str, str]:
        kind, word, where = self.tokens[self.place]
        if kind not in kinds:
            got = f"'{word}'" if word else "the end"
            raise RecipeError(
                f"recipe '{self.text}' cannot be read at place {where}: expected {expected}, got "
                f"{got}. A recipe looks like 'sum | fourth_root' or "
                "'drop_targets(V04) | sum | log10(scale=1000)'."
            )
        self.place += 1
        return kind, word

    def take_mark(self, mark: str, expected: str) -> None:
        self.take(expected, *(("mark",) if self.at(mark) else ()))

    def steps(self) -> list[RecipeStep]:
        steps = [self.step()]
        while self.tokens[self.place][0] != "end":
            self.take_mark("|", "'|' or the end")
            if len(steps) == _MOST_STEPS:
                raise RecipeError(f"a recipe has at most {_MOST_STEPS} steps, and this has more")
            steps.append(self.step())
        return steps

    def step(self) -> RecipeStep:
        _, word = self.take("the name of a step", "word")
        name = choose(word, tuple(STEPS), what="pretreatment step")
        named: dict[str, Any] = {}
        bare: list[str] = []
        if self.at("("):
            self.place += 1
            while not self.at(")"):
                self.parameter(name, named, bare)
                if not self.at(")"):
                    self.take_mark(",", "',' or ')'")
            self.place += 1
        positional = STEPS[name].positional
        if bare and not positional:
            raise RecipeError(
                f"step '{name}' takes parameters as name=value, got '{bare[0]}'. "
                + did_you_mean(bare[0], tuple(STEPS[name].defaults))
            )
        if bare:
            self.refuse_twice(positional, name, named)
            named[positional] = bare
        return RecipeStep.make(name, named)

    def parameter(self, step: str, named: dict[str, Any], bare: list[str]) -> None:
        kind, word = self.take("a parameter or ')'", "word", "quoted")
        if kind == "word" and self.at("="):
            self.place += 1
            value_kind, value = self.take(f"a value for {word}", "word", "quoted")
            self.refuse_twice(word, step, named)
            named[word] = _value(value_kind, value, self.text)
        else:
            bare.append(_unquoted(word, self.text) if kind == "quoted" else word)

    def refuse_twice(self, parameter: str, step: str, named: Mapping[str, Any]) -> None:
        if parameter in named:
            raise RecipeError(f"recipe '{self.text}' gives {parameter} twice in step '{step}'")

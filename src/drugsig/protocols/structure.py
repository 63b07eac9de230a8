"""The shape of a protocol file: what the JSON Schema says, and problems in words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from drugsig._check import did_you_mean, listed

__all__ = ["Problem", "protocol_schema", "structure_problems"]

_SCHEMA_FILE = "protocol.schema.json"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a protocol file.

    Parameters
    ----------
    where : str
        The path of the key: ``"targets[3].quantifier.mz"``; empty for the whole file.
    message : str
        What is wrong and what to do.
    """

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


def protocol_schema() -> dict[str, Any]:
    """Return the JSON Schema of protocol files (draft 2020-12)."""
    text = resources.files("drugsig.protocols").joinpath(_SCHEMA_FILE).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(protocol_schema())


def structure_problems(data: Mapping[str, Any], /) -> tuple[Problem, ...]:
    """Return everything in which the data differ from the schema, in the order of the file.

    Numbers that are not finite, which TOML can write and JSON cannot, are problems too.
    """
    problems = [
        problem for error in _validator().iter_errors(data) for problem in _in_words(error, data)
    ]
    problems += [
        Problem(_path(place), f"must be a finite number, got {value}")
        for place, value in _leaves(data)
        if isinstance(value, float) and not math.isfinite(value)
    ]
    return tuple(sorted(set(problems), key=lambda p: (p.where, p.message)))


def _leaves(data: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, object]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _leaves(value, (*place, key))
    elif isinstance(data, (list, tuple)):
        for k, value in enumerate(data):
            yield from _leaves(value, (*place, k))
    else:
        yield place, data


def _path(parts: Sequence[str | int]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


# What a type of JSON is called in TOML.
_TYPES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a table",
    "string": "text",
}


def _in_words(error: Any, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Turn one finding of the validator into problems that a chemist can act on."""
    place = list(error.absolute_path)
    rule, value, want = error.validator, error.instance, error.validator_value
    if rule == "additionalProperties":
        known = tuple(error.schema.get("properties", ()))
        for key in value:
            if key not in known:
                yield Problem(_path([*place, str(key)]), f"unknown key. {did_you_mean(key, known)}")
    elif rule in ("required", "dependentRequired"):
        key = error.message.split("'")[1]
        yield Problem(_path(place), f"needs the key '{key}'{_called(place, data)}")
    elif rule == "type":
        kinds = [want] if isinstance(want, str) else want
        words = " or ".join(_TYPES[kind] for kind in kinds)
        yield Problem(_path(place), f"must be {words}, got {_short(value)}")
    elif rule in ("enum", "const"):
        names = [str(x) for x in ([want] if rule == "const" else want)]
        hint = did_you_mean(str(value), names)
        yield Problem(_path(place), f"{_short(value)} is not known here. {hint}")
    elif rule == "anyOf":
        keys = [option["required"][0] for option in want if "required" in option]
        yield Problem(_path(place), f"needs one of the keys {listed(keys)}")
    else:
        yield Problem(_path(place), f"{_WORDS[rule].format(want=want)}, got {_short(value)}")


_WORDS = {
    "minimum": "must be at least {want}",
    "exclusiveMinimum": "must be more than {want}",
    "maximum": "must be at most {want}",
    "minLength": "must not be empty",
    "maxLength": "must have at most {want} characters",
    "minItems": "must have at least {want} item(s)",
    "maxItems": "must have at most {want} item(s)",
    "minProperties": "must have at least {want} key(s)",
    "uniqueItems": "must not name the same thing twice",
    "pattern": "must be written like {want}",
    "not": "must be one line of text without control characters",
}


def _called(place: Sequence[str | int], data: Mapping[str, Any]) -> str:
    """Say which target is meant, which is easier to find than its number."""
    if len(place) >= 2 and place[0] == "targets":
        target = data["targets"][place[1]]
        name = target.get("name") if isinstance(target, Mapping) else None
        if isinstance(name, str):
            return f" (target '{name}')"
    return ""

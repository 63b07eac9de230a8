"""What a schema cannot say of a protocol file: names that must exist, numbers that must agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from drugsig._check import did_you_mean, is_whole
from drugsig.protocols.measured_target import STABILITY_ACTIONS, SUM_WITH
from drugsig.protocols.structure import Problem

__all__ = ["count_compared", "meaning_problems"]

_HARMONISED = re.compile(r"harmoni[sz]ed", re.IGNORECASE)

# What a role must be there for, where a recipe names the step.
_ROLE_OF_STEP = {"main_compound": "main", "internal_standard": "internal_standard"}


def meaning_problems(data: Mapping[str, Any], /) -> tuple[Problem, ...]:
    """Return every contradiction in the data, also where their shape has problems of its own."""
    targets = list(_targets(data))
    return (
        *_sources(data),
        *_names(targets),
        *_ions(targets),
        *_stability(targets),
        *_internal_standards(data, targets),
        *_quality(data),
        *_comparison(data, targets),
        *_completeness(data, targets),
    )


def count_compared(data: Mapping[str, Any], /) -> int:
    """Return how many targets comparisons rest on, as `Protocol.compared` counts them."""
    actions = [
        _text(target, "stability", "action")
        for _, target in _targets(data)
        if _text(target, "role") == "impurity"
    ]
    return sum(action != "exclude" and not action.startswith(SUM_WITH) for action in actions)


def _table(data: object, *keys: str) -> Mapping[str, Any]:
    """Return the table at a place, or an empty one where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _text(data: object, *keys: str) -> str:
    value = _table(data, *keys[:-1]).get(keys[-1])
    return value if isinstance(value, str) else ""


def _array(data: object, key: str) -> list[Any]:
    value = _table(data).get(key)
    return list(value) if isinstance(value, (list, tuple)) else []


def _targets(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for k, target in enumerate(_array(data, "targets")):
        yield f"targets[{k}]", _table(target)


def _walk(data: object, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every table with its path."""
    if isinstance(data, Mapping):
        yield path, data
        for key, value in data.items():
            yield from _walk(value, f"{path}.{key}" if path else str(key))
    elif isinstance(data, (list, tuple)):
        for k, value in enumerate(data):
            yield from _walk(value, f"{path}[{k}]")


def _sources(data: Mapping[str, Any]) -> Iterator[Problem]:
    known = _table(data, "sources")
    used: set[str] = set()
    for path, table in _walk({key: x for key, x in data.items() if key != "sources"}):
        key = table.get("source")
        if not isinstance(key, str):
            continue
        used.add(key)
        if key not in known:
            yield Problem(
                f"{path}.source",
                f"there is no [sources.{key}]. {did_you_mean(key, sorted(known))}",
            )
        elif table.get("verified") is True and _text(known, key, "read") == "nothing":
            yield Problem(
                f"{path}.verified",
                f"is true, but [sources.{key}] says that nothing of it was read. What is recalled "
                "or chosen is not verified.",
            )
    for key in sorted(set(known) - used):
        yield Problem(f"sources.{key}", "is cited nowhere: cite it or leave it out")


def _names(targets: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for path, target in targets:
        name = _text(target, "name")
        if name in first:
            yield Problem(f"{path}.name", f"'{name}' is the name of {first[name]} already")
        elif name:
            first[name] = path


def _ions(targets: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Problem]:
    for path, target in targets:
        quantifier = _table(target, "quantifier")
        ions = _array(quantifier, "mz")
        rule = _text(quantifier, "rule")
        if rule and ions and (rule == "single") != (len(ions) == 1):
            yield Problem(
                f"{path}.quantifier.rule",
                f"is '{rule}' with {len(ions)} ion(s) in mz: one ion is 'single', several are "
                "'sum'",
            )
        seen = set(ions) if rule == "single" else set()
        for k, qualifier in enumerate(_array(target, "qualifiers")):
            mz = _table(qualifier).get("mz")
            if mz in seen:
                yield Problem(
                    f"{path}.qualifiers[{k}].mz",
                    f"m/z {mz} is an ion of this target already: it confirms nothing",
                )
            seen.add(mz)
        if _array(target, "qualifiers") and not quantifier:
            yield Problem(
                f"{path}.qualifiers", "confirm a quantifier, and the target has none: add one"
            )


def _stability(targets: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Problem]:
    actions = {_text(t, "name"): _text(t, "stability", "action") for _, t in targets}
    roles = {_text(t, "name"): _text(t, "role") for _, t in targets}
    for path, target in targets:
        action = _text(target, "stability", "action")
        where = f"{path}.stability.action"
        if not action or action in STABILITY_ACTIONS:
            continue
        if not action.startswith(SUM_WITH):
            hint = did_you_mean(action, [*STABILITY_ACTIONS, f"{SUM_WITH}NAME"])
            yield Problem(where, f"'{action}' is not known here. {hint}")
            continue
        other = action.removeprefix(SUM_WITH)
        if other not in actions or other == _text(target, "name"):
            others = [name for name in actions if name and name != _text(target, "name")]
            yield Problem(
                where, f"there is no other target '{other}'. {did_you_mean(other, others)}"
            )
        elif actions[other].startswith(SUM_WITH) or actions[other] == "exclude":
            yield Problem(
                where, f"'{other}' is itself summed or excluded: name a target that stands alone"
            )
        elif roles[other] != _text(target, "role"):
            yield Problem(where, f"'{other}' has another role, so their sum would have none")


def _internal_standards(
    data: Mapping[str, Any], targets: list[tuple[str, Mapping[str, Any]]]
) -> Iterator[Problem]:
    value = _table(data, "method", "internal_standard").get("value")
    if value is None:
        return
    where = "method.internal_standard.value"
    said = list(value) if isinstance(value, (list, tuple)) else [value]
    there = [_text(t, "name") for _, t in targets if _text(t, "role") == "internal_standard"]
    if said == ["none"]:
        if there:
            yield Problem(where, f"is 'none', but target '{there[0]}' is an internal standard")
        return
    for name in said:
        if name not in there:
            yield Problem(
                where,
                f"there is no target '{name}' with the role internal_standard. "
                f"{did_you_mean(str(name), there)}",
            )


def _quality(data: Mapping[str, Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for k, rule in enumerate(_array(data, "quality")):
        what = _text(rule, "what")
        if what in seen:
            yield Problem(f"quality[{k}].what", f"there are two rules for '{what}': keep one")
        seen.add(what)


def _comparison(
    data: Mapping[str, Any], targets: list[tuple[str, Mapping[str, Any]]]
) -> Iterator[Problem]:
    least = _table(data, "comparison", "min_measured").get("value")
    n_compared = count_compared(data)
    if is_whole(least) and least > n_compared:
        yield Problem(
            "comparison.min_measured.value",
            f"asks for {least} targets measured in both profiles, but only {n_compared} are "
            "compared (impurities that are neither excluded nor summed with another one)",
        )
    recipe = _text(data, "comparison", "recipe", "value")
    roles = {_text(t, "role") for _, t in targets}
    for step, role in _ROLE_OF_STEP.items():
        if re.search(rf"(?<!\w){step}(?!\w)", recipe) and role not in roles:
            yield Problem(
                "comparison.recipe.value",
                f"step '{step}' needs a target with the role '{role}', and there is none",
            )


def _completeness(
    data: Mapping[str, Any], targets: list[tuple[str, Mapping[str, Any]]]
) -> Iterator[Problem]:
    known = _table(data, "completeness")
    n_listed, n_named = known.get("listed"), known.get("named")
    read = [t for _, t in targets if _text(t, "role") == "impurity" and t.get("verified") is True]
    whole = False
    if isinstance(n_listed, int) and isinstance(n_named, int):
        if n_named > n_listed:
            yield Problem("completeness.named", f"is {n_named}, more than the {n_listed} listed")
        elif n_named > len(read):
            yield Problem(
                "completeness.named",
                f"is {n_named}, but only {len(read)} impurities are verified targets",
            )
        whole = known.get("harmonised") is True and n_named == n_listed
    title = _text(data, "protocol", "title")
    name = _text(data, "protocol", "name")
    if not whole and (_HARMONISED.search(title) or _HARMONISED.search(name)):
        yield Problem(
            "protocol.title",
            "calls the protocol harmonised. That may be said only where every target of a "
            "harmonised list is known: say what is in it instead.",
        )

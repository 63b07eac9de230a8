"""Finding, reading and checking protocol files."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from drugsig._check import did_you_mean
from drugsig._files import parsed_toml, read_whole
from drugsig.errors import InputError, ReadError, UnknownNameError
from drugsig.protocols.fact import tidy
from drugsig.protocols.meaning import count_compared, meaning_problems
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.structure import Problem, structure_problems

__all__ = ["ProtocolReport", "check_protocol", "list_protocols", "load_protocol", "read_protocol"]

# A protocol of a thousand targets has about 1 MB; a larger file is something else.
_MOST_BYTES = 8_000_000

_ENDING = ".toml"


@dataclass(frozen=True)
class ProtocolReport:
    """What a check of a protocol file found.

    Attributes
    ----------
    place : str
        The file.
    protocol : Protocol or None
        The protocol, where the file can be used.
    problems : tuple of Problem
        What keeps it from being used.
    remarks : tuple of Problem
        What a reader must know although it can be used.
    """

    place: str
    protocol: Protocol | None
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]

    @property
    def is_usable(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def raise_problems(self) -> None:
        """Raise one error that lists every problem, if there is any.

        Raises
        ------
        ReadError
            If the file cannot be used.
        """
        if self.problems:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            raise ReadError(
                f"protocol file '{self.place}' cannot be used, {len(self.problems)} problem(s):"
                f"{lines}\nThe format is described in the reference, 'The protocol file'.",
                path=self.place,
            )

    def __str__(self) -> str:
        lines = [f"{self.place}: {'can be used' if self.is_usable else 'cannot be used'}"]
        lines += [f"  problem: {problem}" for problem in self.problems]
        lines += [f"  remark: {remark}" for remark in self.remarks]
        return "\n".join(lines)


@cache
def list_protocols() -> tuple[str, ...]:
    """Return the names of the protocols that come with drugsig, sorted.

    Examples
    --------
    >>> "amphetamine-eu" in list_protocols()
    True
    """
    folder = resources.files("drugsig.protocols").joinpath("data")
    names = (item.name for item in folder.iterdir())
    return tuple(sorted(n.removesuffix(_ENDING) for n in names if n.endswith(_ENDING)))


def load_protocol(name_or_path: str | Path, /) -> Protocol:
    """Return a protocol that comes with drugsig, by name, or one of the laboratory, by path.

    Parameters
    ----------
    name_or_path : str or path-like
        A name of `list_protocols`, or a TOML file. Text that is neither such a name, nor ends with
        ``.toml``, nor holds a path separator is an unknown name, never a path.

    Returns
    -------
    Protocol
        The protocol.

    Raises
    ------
    UnknownNameError
        If no protocol has this name; the message names the nearest.
    ReadError
        If the file cannot be read or used; the message lists every problem with its key.

    Examples
    --------
    >>> load_protocol("cocaine-unodc-ratios").recipe
    'main_compound'
    """
    if isinstance(name_or_path, str) and name_or_path in list_protocols():
        place = resources.files("drugsig.protocols").joinpath("data", name_or_path + _ENDING)
        return Protocol.from_data(tomllib.loads(place.read_text(encoding="utf-8")))
    if isinstance(name_or_path, str) and _is_name(name_or_path):
        raise UnknownNameError(
            f"unknown protocol {name_or_path!r}. {did_you_mean(name_or_path, list_protocols())} "
            "Or give the path of a protocol file, which ends with .toml.",
            name=name_or_path,
            known=list_protocols(),
        )
    return read_protocol(Path(name_or_path))[0]


def read_protocol(path: Path, /) -> tuple[Protocol, bytes]:
    """Return the protocol of a file, and the bytes that it was read from.

    Parameters
    ----------
    path : Path
        A TOML file.

    Raises
    ------
    ReadError
        If the file cannot be read or used; the message lists every problem with its key.
    """
    content = _content(path)
    report = _report(str(path), content, None, None)
    report.raise_problems()
    if report.protocol is None:
        raise ReadError(f"protocol file '{report.place}' holds no protocol", path=report.place)
    return report.protocol, content


def check_protocol(
    path: str | Path,
    /,
    *,
    metric_minimum: Mapping[str, int] | None = None,
    parse_recipe: Callable[[str], object] | None = None,
) -> ProtocolReport:
    """Check a protocol file and report all its problems together.

    Parameters
    ----------
    path : str or path-like
        A TOML file, or a name of `list_protocols`.
    metric_minimum : mapping of str to int, optional
        The metrics there are, each with the least number of targets it needs. Without it the
        metric is not checked.
    parse_recipe : callable, optional
        Raises an `InputError` where a text is no recipe. Without it the recipe is not checked.

    Returns
    -------
    ProtocolReport
        The problems and remarks, each with the path of its key.

    Raises
    ------
    ReadError
        If there is no such file, or it cannot be opened.
    """
    if isinstance(path, str) and path in list_protocols():
        with resources.as_file(
            resources.files("drugsig.protocols").joinpath("data", path + _ENDING)
        ) as place:
            content = _content(place)
    else:
        content = _content(Path(path))
    return _report(str(path), content, metric_minimum, parse_recipe)


def _report(
    place: str,
    content: bytes,
    metric_minimum: Mapping[str, int] | None,
    parse_recipe: Callable[[str], object] | None,
) -> ProtocolReport:
    data, problems = _parsed(content)
    if problems:
        return ProtocolReport(place, None, problems, ())
    problems = (*structure_problems(data), *meaning_problems(data))
    problems += tuple(_comparison_problems(data, metric_minimum, parse_recipe))
    if problems:
        return ProtocolReport(place, None, problems, ())
    protocol = Protocol.from_data(data)
    return ProtocolReport(place, protocol, (), _remarks(protocol, metric_minimum))


def _is_name(text: str) -> bool:
    return not text.lower().endswith(_ENDING) and "/" not in text and "\\" not in text


def _content(place: Path) -> bytes:
    try:
        return read_whole(place, most=_MOST_BYTES)
    except FileNotFoundError as error:
        raise ReadError(
            f"there is no protocol file '{place}'. Protocols that come with drugsig: "
            f"{', '.join(list_protocols())}.",
            path=place,
        ) from error
    except OSError as error:
        raise ReadError(
            f"protocol file '{place}' cannot be read: {error.strerror}", path=place
        ) from error


def _parsed(content: bytes) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    try:
        data = parsed_toml(content)
    except UnicodeDecodeError as error:
        return {}, (Problem("", f"is not text in UTF-8: {error.reason} at byte {error.start}"),)
    except ValueError as error:
        return {}, (Problem("", f"is not valid TOML: {error}"),)
    return _tidied(data), ()


def _tidied(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _tidied(x) for key, x in data.items()}
    return [_tidied(x) for x in data] if isinstance(data, list) else tidy(data)


def _comparison_problems(
    data: Mapping[str, Any],
    metric_minimum: Mapping[str, int] | None,
    parse_recipe: Callable[[str], object] | None,
) -> list[Problem]:
    """Return what only a caller who knows metrics and recipes can find."""
    plan = data.get("comparison")
    values = {
        key: fact.get("value")
        for key, fact in (plan if isinstance(plan, dict) else {}).items()
        if isinstance(fact, dict)
    }
    found = []
    metric, recipe = values.get("metric"), values.get("recipe")
    if metric_minimum is not None and isinstance(metric, str):
        if metric not in metric_minimum:
            hint = did_you_mean(metric, tuple(metric_minimum))
            found.append(Problem("comparison.metric.value", f"unknown metric '{metric}'. {hint}"))
        elif (n_compared := count_compared(data)) < metric_minimum[metric]:
            found.append(
                Problem(
                    "comparison.metric.value",
                    f"metric '{metric}' needs {metric_minimum[metric]} targets measured in both "
                    f"profiles, and the protocol compares {n_compared}: name a metric that needs "
                    "fewer",
                )
            )
    if parse_recipe is not None and isinstance(recipe, str):
        try:
            parse_recipe(recipe)
        except InputError as error:
            found.append(Problem("comparison.recipe.value", str(error)))
    return found


def _remarks(protocol: Protocol, metric_minimum: Mapping[str, int] | None) -> tuple[Problem, ...]:
    remarks = []
    if protocol.unverified:
        remarks.append(
            Problem(
                "",
                f"{len(protocol.unverified)} field(s) are not verified, "
                f"{len(protocol.unverified_in_use)} of them decide results",
            )
        )
    for name, missing in protocol.missing_for_extraction.items():
        remarks.append(
            Problem(f"targets.{name}", f"the laboratory must fill in {' and '.join(missing)}")
        )
    if protocol.not_checked:
        remarks.append(Problem("quality", f"not checked: {', '.join(protocol.not_checked)}"))
    known = protocol.completeness
    if known and not known.is_complete:
        remarks.append(Problem("completeness", f"{known}: this is not the published method"))
    least = (metric_minimum or {}).get(protocol.metric, 0)
    if protocol.min_measured < least:
        remarks.append(
            Problem(
                "comparison.min_measured",
                f"is {protocol.min_measured}, less than the {least} that metric "
                f"'{protocol.metric}' asks for by itself",
            )
        )
    return tuple(remarks)

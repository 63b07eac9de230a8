"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

__all__ = ["TABLE_OPTIONS", "read_number", "read_size", "reading_of", "reads_tables"]


def read_number(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Read a number with a decimal point or a decimal comma."""
    if value is None:
        return None
    try:
        return float(value.replace(",", "."))
    except ValueError as error:
        raise click.BadParameter(f"'{value}' is not a number", context, option) from error


_SIZE = re.compile(r"([0-9.]+(?:e\d+)?)\s*([kMGT]?)i?B?", re.IGNORECASE)


def read_size(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Read a number of bytes, with or without a unit."""
    if value is None:
        return None
    match = _SIZE.fullmatch(value.strip())
    number = None if match is None else read_number(context, option, match[1])
    if match is None or not number:
        raise click.BadParameter(f"'{value}' is no size such as 500MB or 4GB", context, option)
    return number * 1000.0 ** " KMGT".index(match[2].upper() or " ")


# How a table is read, for every command that reads one.
TABLE_OPTIONS = (
    click.option(
        "--metadata-path",
        type=click.Path(path_type=Path),
        help="Another file with metadata by id: specimen, seizure, kind of run ...",
    ),
    click.option("--sheet", help="The sheet of a workbook."),
    click.option("--metadata-sheet", help="A sheet of the same workbook with metadata by id."),
    click.option("--id-column", multiple=True, help="The column with ids; repeat to join several."),
    click.option("--metadata", multiple=True, help="A column that is no target; may be repeated."),
    click.option(
        "--role",
        "roles",
        multiple=True,
        metavar="TARGET=ROLE",
        help="The part of a target: main, internal_standard, cutting_agent ...; may be repeated.",
    ),
    click.option(
        "--empty",
        type=click.Choice(["not_measured", "below_lod"]),
        help="What an empty cell means; not measured by default.",
    ),
    click.option(
        "--token",
        "tokens",
        multiple=True,
        metavar="TEXT=STATUS",
        help="What a text in a target column means: below_lod, below_loq, not_measured, rejected.",
    ),
    click.option(
        "--target", "targets", multiple=True, help="A column that is a target; repeatable."
    ),
    click.option(
        "--leave-out", multiple=True, metavar="ID", help="A profile to leave out; repeatable."
    ),
    click.option(
        "--decimal", type=click.Choice([".", ","]), help="The decimal sign, if it is unclear."
    ),
)


def reads_tables(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `TABLE_OPTIONS`."""
    for option in reversed(TABLE_OPTIONS):
        command = option(command)
    return command


def reading_of(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of tables out of all options, as keyword arguments of `read_profiles`."""
    reading: dict[str, Any] = {}
    for key in ("sheet", "metadata_path", "metadata_sheet", "empty", "decimal"):
        if (value := options.pop(key)) is not None:
            reading[key] = value
    if id_column := options.pop("id_column"):
        reading["id_column"] = id_column[0] if len(id_column) == 1 else list(id_column)
    for key in ("metadata", "targets", "leave_out"):
        if names := options.pop(key):
            reading[key] = list(names)
    for key, option in (("roles", "--role"), ("tokens", "--token")):
        if pairs := options.pop(key):
            reading[key] = _pairs(pairs, option)
    return reading


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, sign, value = text.rpartition("=")
        if not sign or not name:
            shape = "TARGET=ROLE" if option == "--role" else "TEXT=STATUS"
            raise click.UsageError(f"{option} takes {shape}, got '{text}'")
        pairs[name] = value
    return pairs

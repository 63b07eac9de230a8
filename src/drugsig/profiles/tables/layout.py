"""The layout of a table: which columns hold targets and which metadata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from drugsig._check import listed
from drugsig.errors import InputError, TableError
from drugsig.profiles.profile_set import ID_COLUMN
from drugsig.profiles.tables.cells import CellRules, is_date, without_percent
from drugsig.profiles.tables.grid import Cell, Grid, text_of
from drugsig.profiles.tables.header import Header
from drugsig.profiles.tables.ids import column_indices
from drugsig.profiles.tables.names import is_metadata_name, is_sum_name
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.numerals import Convention, is_number_like, plain_numbers

__all__ = ["NAMES_SPELLED", "Layout", "choose_columns", "without_percent_signs"]

# How many headings a sentence of the history spells out; more would hide none that matters.
NAMES_SPELLED = 60

_POINT, _COMMA = Convention("."), Convention(",")
# A column with at least so many numbers, or this share of them, may have been meant as a target.
_FEW_NUMBERS = 2
_FEW_SHARE = 0.1
# With many different texts a column is more likely of another kind.
_MANY_SHARE = 0.25
# So many different words may be the codes of a laboratory.
_MOST_CODES = 3


@dataclass(frozen=True, eq=False)
class Layout:
    """What the columns of a table are.

    Parameters
    ----------
    id_columns : tuple of int
        The columns whose cells, joined by ``/``, are the profile ids.
    targets, metadata : tuple of int
        Columns in the order of the table; targets in the order the user named them.
    """

    id_columns: tuple[int, ...]
    targets: tuple[int, ...]
    metadata: tuple[int, ...]


def choose_columns(
    grid: Grid,
    header: Header,
    id_columns: tuple[int, ...],
    /,
    *,
    targets: Sequence[str] | None,
    metadata: Sequence[str] | None,
    rules: CellRules,
) -> tuple[Layout, tuple[Guess, ...]]:
    """Say which columns are targets and which metadata, and what was decided of them.

    A column named by the user is what the user says. Of the others, a column with a known
    metadata name is metadata; a column of numbers and of texts that stand for cells without a
    value is a target; so is a column most of whose cells are numbers, so that the cell at
    fault is named when it is read; the rest is metadata.

    Raises
    ------
    TableError
        If there is no target.
    InputError
        If a column is named twice.
    """
    guesses: list[Guess] = []
    told_targets = None if targets is None else column_indices(grid, header, targets, "targets")
    told_metadata = column_indices(grid, header, metadata or (), "metadata")
    both = set(told_targets or ()) & {*told_metadata, *id_columns}
    if both:
        names = [header.headings[k] for k in sorted(both)]
        raise InputError(f"{listed(names)} cannot be a target and an id or metadata column as well")
    free = [k for k in header.columns if k not in id_columns]
    unnamed = [k for k in free if not header.headings[k]]
    if unnamed:
        said = "the first column has no heading and holds no ids; it was left out"
        guesses.append(Guess(said))
    free = [k for k in free if header.headings[k]]
    if len(id_columns) > 1:
        # The parts of a joined id stay, so that replicates can be told from specimens.
        free = [k for k in header.columns if header.headings[k]]
    if told_targets is not None:
        chosen = told_targets
        rest = [k for k in free if k not in chosen]
    else:
        judged = {
            k: _is_target(header, k, rules)
            for k in free
            if k not in told_metadata and k not in id_columns
        }
        chosen = tuple(k for k, (is_target, _) in judged.items() if is_target)
        guesses += [guess for _, found in judged.values() for guess in found]
        rest = [k for k in free if k not in chosen]
        if chosen:
            shown = listed([header.headings[k] for k in chosen], most=NAMES_SPELLED)
            said = f"targets are the columns of numbers without a metadata name: {shown}"
            guesses.append(Guess(said))
    others = [header.headings[k] for k in rest if k not in told_metadata and k not in id_columns]
    if others:
        shown = listed(others, most=NAMES_SPELLED)
        guesses.append(Guess(f"metadata are the remaining columns: {shown}"))
    if not chosen:
        raise TableError(
            f"{grid.name} has no target: none of its columns is a column of numbers that is not "
            f"metadata by its name. The columns are "
            f"{listed([header.named(k) for k in header.columns], most=20)}. If some of them are "
            "targets, name them: targets=[...].",
            path=grid.source.path,
            line=grid.lines[header.row],
        )
    if ID_COLUMN in {header.headings[k] for k in (*rest, *chosen)}:
        raise TableError(
            f"{grid.name} has a column '{ID_COLUMN}' that does not hold the ids. "
            f"Rename it, or say id_column='{ID_COLUMN}'.",
            path=grid.source.path,
            line=grid.lines[header.row],
            column=ID_COLUMN,
        )
    return Layout(id_columns, tuple(chosen), tuple(rest)), tuple(guesses)


def _is_target(header: Header, column: int, rules: CellRules) -> tuple[bool, tuple[Guess, ...]]:
    """Say whether a column is a target, and what a reader should know of that."""
    heading = header.headings[column]
    if is_metadata_name(heading):
        return False, ()
    filled = [c for c in header.cells(column) if c != ""]
    if not filled:
        return False, (
            Guess(
                f"column '{heading}' is empty; it was kept as metadata. If it is a target, name it "
                "in targets=[...]",
                risky=True,
            ),
        )
    if is_sum_name(heading):
        said = "looks like a sum over the line, not a compound; it was kept as metadata"
        return False, (Guess(f"'{heading}' {said}"),)
    if any(plain_numbers(filled, c) is not None for c in (_POINT, _COMMA)):
        return True, ()
    numbers = tokens = 0
    texts: Counter[str] = Counter()
    for cell in filled:
        text = text_of(cell)
        if _like_number(cell, text):
            numbers += 1
        elif rules.token(text) is not None:
            tokens += 1
        else:
            texts["a date" if is_date(cell) else repr(text)] += 1
    if numbers > 0 and numbers >= texts.total():
        return True, ()
    if numbers == 0 and not texts:
        return False, (
            Guess(
                f"column '{heading}' holds only texts such as {text_of(filled[0])!r}; it was kept "
                "as metadata. If it is a target, name it in targets=[...]",
                risky=True,
            ),
        )
    doubt = _about_numbers(heading, numbers, tokens, texts)
    return False, () if doubt is None else (Guess(doubt, risky=True),)


def _about_numbers(heading: str, numbers: int, tokens: int, texts: Counter[str]) -> str | None:
    """Point out a column that may be a target although most of its cells are texts."""
    if numbers == 0:
        return None
    share = numbers / (numbers + tokens + texts.total())
    few = len(texts) <= _MOST_CODES and texts.total() >= 2 * len(texts)
    if few and (numbers >= _FEW_NUMBERS or share >= _FEW_SHARE):
        words = " and ".join(f"{count} times {word}" for word, count in texts.most_common())
        said = ", ".join(f"{word}: 'below_loq'" for word in texts if word != "a date")
        advice = f"if it is a target, say tokens={{{said}}}, or what else it means" if said else ""
        if "a date" in texts:
            mend = "a spreadsheet turns 3.5 into 3 May: correct such cells in the spreadsheet"
            advice = f"{mend}; {advice}" if advice else mend
        return (
            f"'{heading}' holds {numbers} number(s) and {words}; it was kept as metadata: {advice}"
        )
    if share >= _MANY_SHARE:
        return (
            f"'{heading}' holds {numbers} number(s) and {texts.total()} text(s) such as "
            f"{next(iter(texts))}; it was kept as metadata. If it is a target, name it in "
            "targets=[...]"
        )
    return None


def _like_number(cell: Cell, text: str) -> bool:
    """Say whether a cell is or was meant as a number, so that a faulty one is not overlooked."""
    if not isinstance(cell, str):
        return True
    bare = text.lstrip("<\u2264=> ").rstrip("% ")
    return is_number_like(bare) or bare.casefold() in ("inf", "-inf", "nan")


def without_percent_signs(
    header: Header, targets: Sequence[int], rules: CellRules
) -> tuple[Header, tuple[int, ...], tuple[Guess, ...]]:
    """Take the percent signs off the targets in which every number carries one.

    Returns
    -------
    header : Header
        Above the bare numbers.
    columns : tuple of int
        The targets that had the signs.
    guesses : tuple of Guess
        What was decided.
    """
    bare: dict[int, tuple[Cell, ...]] = {}
    for k in targets:
        cells = without_percent(header.cells(k), rules)
        if cells is not None:
            bare[k] = cells
    if not bare:
        return header, (), ()
    shown = listed([header.headings[k] for k in bare], most=NAMES_SPELLED)
    guess = Guess(f"every number of {shown} carries a percent sign: read as numbers in %")
    return header.replacing(bare), tuple(bare), (guess,)

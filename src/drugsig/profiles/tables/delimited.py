"""Text tables: bytes to text, the delimiter, and the grid of cells."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator

from drugsig.errors import InputError, ReadError, TableError, UnknownNameError
from drugsig.profiles.tables.grid import Cell, Grid, clean_rows
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.source import Source

__all__ = ["DELIMITERS", "decode", "records", "text_grid"]

# In the order they are preferred where several would give a regular table: a comma is often
# part of numbers and names, a tab hardly ever.
DELIMITERS = ("\t", ";", "|", ",")

DELIMITER_NAMES = {"\t": "tab", ";": "semicolon", "|": "vertical bar", ",": "comma"}

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def decode(source: Source, encoding: str | None) -> tuple[str, str, tuple[Guess, ...]]:
    """Return the text of a file, the encoding it was read with, and what was guessed of it.

    Parameters
    ----------
    source : Source
        The file.
    encoding : str, optional
        What the user says. Without it: a byte-order mark, else UTF-8, else cp1252 as a guess.

    Raises
    ------
    ReadError
        If the bytes are no text in that encoding.
    UnknownNameError
        If there is no such encoding.
    """
    data = source.data
    if encoding is not None:
        try:
            return data.decode(encoding).removeprefix("\ufeff"), encoding, ()
        except (LookupError, TypeError):
            raise UnknownNameError(
                f"unknown encoding {encoding!r}. Common ones are 'utf-8', 'utf-16', 'cp1252' and "
                "'latin-1'.",
                name=str(encoding),
                known=("utf-8", "utf-16", "cp1252", "latin-1"),
            ) from None
        except ValueError as error:
            raise ReadError(
                f"{source.name} is no text in the encoding {encoding}: {error}. "
                "Name the encoding it was saved with, or leave encoding= out.",
                path=source.path,
            ) from error
    for mark, name in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(name), name, ()
            except ValueError as error:
                raise ReadError(
                    f"{source.name} begins with the byte-order mark of {name} but is not written "
                    f"in it: {error}. It is probably cut off; export it again.",
                    path=source.path,
                ) from error
    try:
        return data.decode("utf-8"), "utf-8", ()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{source.name} is neither UTF-8 nor Windows Western (cp1252) text: byte "
            f"0x{data[error.start]:02X} at position {error.start}. Name its encoding: encoding=.",
            path=source.path,
        ) from error
    guess = Guess(
        f"encoding cp1252, because line {line} is not UTF-8; if accented letters look wrong, "
        "name the encoding"
    )
    return text, "cp1252", (guess,)


def records(text: str, delimiter: str, source: Source) -> Iterator[tuple[int, list[str]]]:
    """Yield every record with the line where it begins, counted from 1.

    Raises
    ------
    TableError
        If a quotation mark is never closed, or stands in the middle of a quoted cell.
    """
    # newline="" lets the csv module see every kind of line end, a lone CR included.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = (
                "a cell is longer than a table can hold, or a quotation mark is never closed"
                if "limit" in str(error)
                else "a quotation mark is never closed, or text follows a closing one"
            )
            raise TableError(
                f"{source.name}, line {line}: {reason} ({error}). Inside a quoted cell a "
                'quotation mark is written twice ("").',
                path=source.path,
                line=line,
            ) from error
        yield line, record


def text_grid(
    source: Source,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    skip: Collection[int] = (),
) -> Grid:
    """Read a delimited text file into a grid.

    Parameters
    ----------
    source : Source
        The file.
    delimiter : str, optional
        The one character between cells; found from the whole file without it.
    encoding : str, optional
        See `decode`.
    skip : collection of int
        Lines to leave out, counted from 1.

    Raises
    ------
    TableError, ReadError
        If the text is no table.
    """
    text, used, guesses = decode(source, encoding)
    first, _, rest = text.partition("\n")
    skipped = 0
    # Excel writes and obeys a first line such as "sep=;".
    if first.strip().lower().startswith("sep=") and len(first.rstrip("\r\n")) == len("sep=") + 1:
        said = first.rstrip("\r\n")[-1]
        guesses += (Guess(f"the delimiter {said!r} is named by the first line"),)
        delimiter = delimiter or said
        text, skipped = rest, 1
    if delimiter is None:
        delimiter, found = _find_delimiter(text, source)
        guesses += found
    elif not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise InputError(
            f"a delimiter is one character such as ',', ';' or '\\t', got {delimiter!r}"
        )
    numbered: Iterator[tuple[int, list[Cell]]] = (
        (line + skipped, [*record]) for line, record in records(text, delimiter, source)
    )
    rows, lines, cleaned = clean_rows(numbered, source, None, skip=skip)
    if not rows:
        raise ReadError(f"{source.name} is empty: it holds no filled cell.", path=source.path)
    guesses += cleaned
    return Grid(source, rows, lines, encoding=used, delimiter=delimiter, guesses=guesses)


def _find_delimiter(text: str, source: Source) -> tuple[str, tuple[Guess, ...]]:
    """Return the delimiter under which most lines have the same number of cells, two or more."""
    present = [d for d in DELIMITERS if d in text]
    if not present:
        return ",", (Guess("no delimiter found: the table has one column"),)
    if len(present) == 1:
        return present[0], ()
    regular: dict[str, float] = {}
    fault: TableError | None = None
    for delimiter in present:
        try:
            sizes = Counter(len(r) for _, r in records(text, delimiter, source) if any(r))
        except TableError as error:
            fault = fault or error
            continue
        split = {size: count for size, count in sizes.items() if size > 1}
        if split:
            # A line may lack cells at its end; the size most lines have is what counts.
            regular[delimiter] = max(split.values()) / sum(sizes.values())
    if not regular:
        if fault is not None:
            raise fault
        return present[0], ()
    best = max(regular.values())
    equal = [d for d in regular if regular[d] == best]
    chosen = equal[0]
    other = f"; a {DELIMITER_NAMES[equal[1]]} would be as regular" if len(equal) > 1 else ""
    guess = Guess(
        f"the delimiter is a {DELIMITER_NAMES[chosen]}: {best:.0%} of the lines then have the "
        f"same number of cells{other}"
    )
    return chosen, (guess,)

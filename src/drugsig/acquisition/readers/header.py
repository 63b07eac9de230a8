"""What a header says, in words that can be used: clean text, ISO dates, seconds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from drugsig.errors import RunError

__all__ = ["clean_text", "file_digest", "iso_date", "seconds_per", "text_fields"]

# Longer than any field that a person has typed; keeps a damaged header from filling a report.
MOST_CHARACTERS = 500

_UNITS = {
    1.0: ("s", "sec", "secs", "second", "seconds"),
    60.0: ("min", "mins", "minute", "minutes"),
    3600.0: ("h", "hr", "hour", "hours"),
    1e-3: ("ms", "msec", "millisecond", "milliseconds"),
}

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        start=1,
    )
}
_CLOCK = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?: ?(?P<half>[ap]m))?)?"
)
_ZONE = r"(?: ?(?P<zone>Z|[+-]\d{2}:?\d{2}))?"
_COMPACT = (  # ANDI: 20070923040800+0200
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"
    r"(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})(?P<zone>[+-]\d{4})?(?P<half>)"
)
_ISO = (  # and the slashes of JCAMP-DX
    rf"(?P<year>\d{{4}})(?P<mark>[-/])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})"
    rf"{_CLOCK}{_ZONE}"
)
_WRITTEN = (  # 17 Dec 19  10:04 am, 30-Oct-2018, 17:43:05
    rf"(?P<day>\d{{1,2}})[ -](?P<month>[a-z]{{3}})[a-z]*[ -](?P<year>\d{{4}}|\d{{2}})"
    rf"{_CLOCK}{_ZONE}"
)
_UNIX = (  # Thu Mar 28 10:10:00 CET 2013
    r"[a-z]{3} +(?P<month>[a-z]{3}) +(?P<day>\d{1,2}) +(?P<hour>\d{1,2}):(?P<minute>\d{2}):"
    r"(?P<second>\d{2}) +(?P<letters>[a-z]{2,5} +)?(?P<year>\d{4})(?P<half>)(?P<zone>)"
)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII) for form in (_COMPACT, _ISO, _WRITTEN, _UNIX)
)


def clean_text(value: object, /) -> str:
    r"""Return what a header holds as one line of text, cut off where it is very long.

    >>> clean_text(b"  demoscan\x00\x00 sample  ")
    'demoscan sample'
    """
    text = value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def text_fields(fields: Mapping[str, object], /) -> dict[str, str]:
    """Return the fields of a header as text, without those that say nothing."""
    cleaned = {clean_text(name): clean_text(value) for name, value in fields.items()}
    return {name: text for name, text in cleaned.items() if name and text}


def iso_date(text: str, /) -> tuple[str, str]:
    """Return a date of a header in ISO 8601, and what a reader must know about it.

    Parameters
    ----------
    text : str
        As the header has it.

    Returns
    -------
    iso : str
        The date, with the time and the offset from UTC where they are given; empty if the text
        is no date, or could be read as two.
    note : str
        Empty, or why the date is missing or less certain than it looks.

    Examples
    --------
    >>> iso_date("20070923040800+0200")
    ('2007-09-23T04:08:00+02:00', '')
    >>> iso_date("17 Dec 19  10:04 am")[0]
    '2019-12-17T10:04:00'
    >>> iso_date("03/04/2019")[0]
    ''
    """
    text = clean_text(text)
    if not text:
        return "", ""
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            try:
                return _compose(match.groupdict())
            except ValueError:
                break
    return "", f"the date '{text}' is left out: it is not one that can be read in one way only"


def _compose(found: dict[str, str | None]) -> tuple[str, str]:
    month = found["month"] or ""
    number = int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0)
    year, notes = int(found["year"] or 0), []
    if year < 100:
        # The first instruments that wrote such dates are of the 1970s.
        year += 1900 if year >= 70 else 2000
        notes.append(f"the year {year} is written with two digits in the file")
    if found.get("letters"):
        notes.append(f"the time zone '{(found['letters'] or '').strip()}' is left out of the date")
    day = datetime(year, number, int(found["day"] or 0))  # noqa: DTZ001  # the file's own clock
    if found.get("hour") is None:
        return day.date().isoformat(), "; ".join(notes)
    hour = int(found["hour"] or 0)
    half = (found.get("half") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"{hour} {half} is no time of day")
        hour = hour % 12 + (12 if half == "pm" else 0)
    when = day.replace(
        hour=hour, minute=int(found["minute"] or 0), second=int(found.get("second") or 0)
    )
    zone = found.get("zone")
    if zone:
        digits = zone.replace(":", "")
        minutes = 0 if zone in "Zz" else int(digits[1:3]) * 60 + int(digits[3:5])
        offset = timedelta(minutes=-minutes if zone[0] == "-" else minutes)
        when = when.replace(tzinfo=timezone(offset))
    return when.isoformat(timespec="seconds"), "; ".join(notes)


def seconds_per(unit: str, /) -> float | None:
    """Return how many seconds a unit of time is, or None if it is not one.

    >>> seconds_per("Minutes"), seconds_per("furlong")
    (60.0, None)
    """
    word = clean_text(unit).lower().strip(".")
    return next((factor for factor, names in _UNITS.items() if word in names), None)


def file_digest(path: Path, /) -> str:
    """Return the sha256 of a file, as 64 hexadecimal digits.

    Raises
    ------
    RunError
        If the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(
            f"'{path}' cannot be read: {error.strerror or error}. Check that the file is there and "
            "that you may read it.",
            path=path,
            reason="missing",
        ) from error

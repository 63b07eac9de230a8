"""Numbers as a reader wants them: few digits, never a false nought or certainty."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "about",
    "area",
    "count",
    "file_size",
    "listing",
    "one_in",
    "percent",
    "rate",
    "score",
    "several",
]


_LEAST_RATE = 0.0005
_LEAST_AREA = 0.00005


def count(number: int, noun: str, /, plural: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "pair"), count(21457, "pair"), count(2, "analysis", "analyses")
    ('1 pair', '21,457 pairs', '2 analyses')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def several(number: int, singular: str, plural: str, /) -> str:
    """Return the word that goes with a number.

    >>> several(1, "is", "are"), several(0, "is", "are")
    ('is', 'are')
    """
    return singular if number == 1 else plural


def rate(share: float | None, /) -> str:
    """Return a share as a percentage; 0 % and 100 % only where they are exact.

    >>> rate(0.025), rate(None)
    ('2.5 %', 'not known')
    """
    return "not known" if share is None else percent(share)


def score(value: float, /) -> str:
    """Return a score with five significant digits, without an exponent where that is readable.

    >>> score(10.979612), score(0.000123456), score(0.0), score(float("nan"))
    ('10.98', '0.00012346', '0', 'undefined')
    """
    if value != value:
        return "undefined"
    text = f"{value:.5g}"
    if "e-0" in text and abs(value) >= 1e-6:
        return f"{value:.10f}".rstrip("0")
    return text


def about(value: float, /) -> str:
    """Return an expected number, rounded to what it can bear.

    >>> [about(x) for x in (2349.7, 12.34, 0.26, 0.004, 0.0)]
    ['2,350', '12', '0.3', 'fewer than 0.1', '0']
    """
    if value == 0:
        return "0"
    if value < 0.1:
        return "fewer than 0.1"
    if value < 10:
        return f"{value:.1f}"
    return f"{float(f'{value:.3g}'):,.0f}"


def listing(names: Iterable[str], /, *, most: int = 0) -> str:
    """Return names with commas between them; the rest is counted.

    >>> listing(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    every = list(names)
    if not most or len(every) <= most:
        return ", ".join(every)
    return f"{', '.join(every[:most])} and {len(every) - most:,} more"


def file_size(size: int, /) -> str:
    """Return the size of a file.

    >>> file_size(118884), file_size(800)
    ('118.9 kB', '800 bytes')
    """
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1e3:,.1f} kB" if size < 1e6 else f"{size / 1e6:,.1f} MB"


def percent(share: float, /) -> str:
    """Return a share as a percentage; 0 % and 100 % only where they are exact.

    >>> [percent(x) for x in (0.025, 0.0, 1e-7, 0.99999, 1.0, 0.6154)]
    ['2.5 %', '0 %', '<0.1 %', '>99.9 %', '100 %', '61.5 %']
    """
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if share < _LEAST_RATE:
        return "<0.1 %"
    return ">99.9 %" if share > 1.0 - _LEAST_RATE else f"{100 * share:.1f} %"


def area(value: float, /) -> str:
    """Return an area under a curve; 1 only where it is exact.

    >>> area(0.9731269), area(0.999999), area(1.0)
    ('0.9731', '>0.9999', '1')
    """
    if value == 1.0:
        return "1"
    return ">0.9999" if value > 1.0 - _LEAST_AREA else f"{value:.4f}"


def one_in(prevalence: float, /) -> str:
    """Return a prevalence as one in so many.

    >>> one_in(1e-4)
    '1 in 10,000'
    """
    return f"1 in {round(1 / prevalence):,}" if prevalence > 0 else "none"

"""Arrays of numbers inside XML: base64, perhaps deflated, and never larger than declared."""

from __future__ import annotations

import binascii
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugsig.acquisition.readers.points import Floats
from drugsig.errors import RunError

__all__ = ["EncodedArray", "InflationBudget", "decode"]

# Mass spectra deflate to a third, and never to a hundredth. What unpacks to more than this many
# times the size of its file was made to fill a memory.
_MOST_GROWTH = 64
_ALWAYS_ALLOWED = 1 << 24


@dataclass(frozen=True, eq=False)
class EncodedArray:
    """An array as an XML file holds it.

    Parameters
    ----------
    text : str
        In base64.
    dtype : dtype
        Of the numbers, with their byte order.
    deflated : bool
        Whether they are compressed with zlib.
    encoded_length : int or None
        How long `text` is, as the file declares it.
    array_length : int or None
        How many numbers there are, if the array declares its own length.
    unit : str
        The accession of the unit, empty if none is given.
    """

    text: str
    dtype: np.dtype[Any]
    deflated: bool
    encoded_length: int | None = None
    array_length: int | None = None
    unit: str = ""


class InflationBudget:
    """How many bytes the arrays of one file may unpack to, all together.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.allowed = _MOST_GROWTH * path.stat().st_size + _ALWAYS_ALLOWED
        self.taken = 0

    def take(self, count: int, /) -> None:
        """Allow `count` more bytes, or refuse the file."""
        self.taken += count
        if count < 0 or self.taken > self.allowed:
            raise RunError(
                f"'{self.path.name}' declares arrays of {self.taken:,} bytes or more, over "
                f"{_MOST_GROWTH} times its own size. No run does: it is damaged, or was made to "
                "fill the memory of whoever reads it.",
                path=self.path,
                reason="hostile",
            )


def decode(array: EncodedArray, length: int, budget: InflationBudget, /, *, where: str) -> Floats:
    """Return the numbers of an array.

    Parameters
    ----------
    array : EncodedArray
        As the file holds it.
    length : int
        How many numbers are declared; the array's own declaration goes before it.
    budget : InflationBudget
        Of the file.
    where : str
        For messages, as in "spectrum 'scan=3'".

    Raises
    ------
    RunError
        If the array is not as long as declared, or cannot be decoded.
    """
    if array.array_length is not None:
        length = array.array_length
    wanted = length * array.dtype.itemsize
    budget.take(wanted)
    text = array.text
    if len(text) != (array.encoded_length if array.encoded_length is not None else -1):
        text = "".join(text.split())
        if array.encoded_length is not None and len(text) != array.encoded_length:
            raise _damaged(
                budget.path,
                where,
                f"its text has {len(text)} characters, and {array.encoded_length} are declared",
            )
    if not text:
        packed = b""
    else:
        try:
            packed = binascii.a2b_base64(text, strict_mode=True)
        except (binascii.Error, ValueError) as error:
            raise _damaged(budget.path, where, f"it is no base64 ({error})") from error
    data = _inflate(packed, wanted, budget.path, where) if array.deflated and packed else packed
    if len(data) != wanted:
        raise _damaged(
            budget.path,
            where,
            f"it holds {len(data):,} bytes, where {length} numbers of {array.dtype.itemsize} bytes "
            "are declared",
        )
    return np.frombuffer(data, dtype=array.dtype).astype(np.float64)


def _inflate(packed: bytes, wanted: int, path: Path, where: str) -> bytes:
    inflater = zlib.decompressobj()
    try:
        # One byte more than declared is enough to know that there is more.
        data = inflater.decompress(packed, wanted + 1)
    except zlib.error as error:
        raise _damaged(path, where, f"it cannot be inflated ({error})") from error
    if len(data) > wanted:
        raise _damaged(path, where, f"it inflates to more than the {wanted:,} bytes declared")
    if not inflater.eof:
        raise _damaged(path, where, "its compressed data end too early")
    return data


def _damaged(path: Path, where: str, what: str) -> RunError:
    return RunError(
        f"an array of {where} in '{path.name}' is damaged: {what}. Copy the file again, or convert "
        "the run again.",
        path=path,
    )

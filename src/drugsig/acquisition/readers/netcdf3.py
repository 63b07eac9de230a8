"""The classic netCDF file: its header, and slices of its variables.

Written from the published format specification (NetCDF Classic, 64-bit offset and CDF-5), because
a file is judged here before a byte is allocated for it: every count and every offset is compared
with the length of the file first, and a variable is read only when it is asked for, in slices if it
is large.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from drugsig.acquisition.readers.header import clean_text
from drugsig.errors import RunError

__all__ = ["NetcdfFile", "Variable", "open_netcdf"]

_TYPES = {
    1: ">i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8",
    7: ">u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8",
}  # fmt: skip
_FIRST_OF_CDF5 = 7
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 0x0A, 0x0B, 0x0C
# A run has about a hundred of each. The limits only keep a damaged count from being believed.
_MOST_ENTRIES = 10_000
_MOST_RANK = 32
_LONGEST_NAME = 4096
_LONGEST_ATTRIBUTE = 1 << 20


@dataclass(frozen=True, eq=False)
class Variable:
    """Where a variable lies in the file.

    Parameters
    ----------
    name : str
        Its name.
    shape : tuple of int
        The number of records first, if it has them.
    dtype : dtype
        As in the file, big-endian.
    begin : int
        Where its first value is.
    stride : int
        Bytes from one record to the next; for a variable without records, of the whole.
    is_record : bool
        Whether it grows with the unlimited dimension.
    attributes : mapping of str to object
        Bytes, or an array of numbers.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    begin: int
    stride: int
    is_record: bool
    attributes: Mapping[str, object]

    def text(self, name: str, /) -> str:
        """Return an attribute as one line of text, empty if it is absent."""
        return _as_text(self.attributes.get(name))

    def number(self, name: str, /, *, default: float) -> float:
        """Return an attribute that is one number, or `default` if it is absent or is none."""
        value = self.attributes.get(name)
        return float(value[0]) if isinstance(value, np.ndarray) and len(value) else default


class NetcdfFile:
    """An open netCDF file.

    Parameters
    ----------
    path : Path
        For messages.
    file : binary file
        Open for reading; closed by `close`.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self.size = file.seek(0, 2)
        file.seek(0)
        header = _Header(path, file, self.size)
        self.version = header.version
        self.dimensions: dict[str, int] = header.dimensions
        self.attributes: dict[str, object] = header.attributes
        self.variables: dict[str, Variable] = header.variables

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def text(self, name: str, /) -> str:
        """Return a global attribute as one line of text, empty if it is absent."""
        return _as_text(self.attributes.get(name))

    def read(
        self, variable: Variable, /, start: int = 0, stop: int | None = None
    ) -> NDArray[np.generic]:
        """Return the values of a variable from `start` to `stop` along its first dimension.

        The array is big-endian and may be a view into a larger block of the file.
        """
        return self.read_together((variable,), start, stop)[0]

    def read_together(
        self, variables: Sequence[Variable], /, start: int = 0, stop: int | None = None
    ) -> list[NDArray[np.generic]]:
        """Return several variables of the same length, in one go where they share their records.

        Parameters
        ----------
        variables : sequence of Variable
            Of this file.
        start, stop : int
            As in `read`.
        """
        if len(variables) > 1 and not all(variable.is_record for variable in variables):
            return [self.read(variable, start, stop) for variable in variables]
        one = variables[0]
        length = one.shape[0] if one.shape else 1
        n = max((length if stop is None else min(stop, length)) - start, 0)
        widths = [v.dtype.itemsize * math.prod(v.shape[1:]) for v in variables]
        step = one.stride if one.is_record else widths[0]
        first = min(variable.begin for variable in variables)
        last = max(v.begin + width for v, width in zip(variables, widths, strict=True))
        wanted = (n - 1) * step + last - first if n else 0
        self._file.seek(first + start * step)
        data = self._file.read(wanted)
        if len(data) != wanted:
            raise _ends_early(self.path)
        found: list[NDArray[np.generic]] = []
        for variable in variables:
            shape = (n, *variable.shape[1:]) if variable.shape else ()
            if not n:
                found.append(np.empty(shape, dtype=variable.dtype))
                continue
            inner = np.empty((1, *variable.shape[1:]), dtype=variable.dtype).strides[1:]
            found.append(
                np.ndarray(
                    shape,
                    dtype=variable.dtype,
                    buffer=data,
                    offset=variable.begin - first,
                    strides=(step, *inner) if variable.shape else (),
                )
            )
        return found

    def strings(self, variable: Variable, /) -> list[str]:
        """Return a variable of characters as text, a string a row."""
        if variable.dtype.kind != "S":
            return []
        values = np.ascontiguousarray(self.read(variable))
        rows = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(1, -1)
        return [clean_text(row.tobytes().split(b"\0", 1)[0]) for row in rows]


def open_netcdf(path: Path, /) -> NetcdfFile:
    """Open a classic netCDF file and read its header.

    Raises
    ------
    RunError
        If the header is damaged, or promises more than the file holds.
    """
    file = path.open("rb")
    try:
        return NetcdfFile(path, file)
    except BaseException:
        file.close()
        raise


class _Header:
    """Reads the header once, in the order of the specification."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self._path, self._file, self._size = path, file, size
        self._at = 0
        magic = self._take(4)
        self.version = magic[3]
        if magic[:3] != b"CDF" or self.version not in (1, 2, 5):
            raise self._damaged("it does not begin as a netCDF file does")
        self._count_width = 8 if self.version == 5 else 4
        self._offset_width = 4 if self.version == 1 else 8
        records = self._number(self._count_width)
        sizes = self._dimension_list()
        self.attributes = self._attribute_list()
        self.dimensions = dict(sizes)
        self.variables = self._variable_list([size for _, size in sizes], records)

    # -- bytes -------------------------------------------------------------------------------

    def _take(self, count: int) -> bytes:
        if count < 0 or count > self._size - self._at:
            raise _ends_early(self._path)
        self._at += count
        return self._file.read(count)

    def _number(self, width: int) -> int:
        return int.from_bytes(self._take(width), "big", signed=True)

    def _count(self, most: int, what: str) -> int:
        count = self._number(self._count_width)
        if not 0 <= count <= most:
            raise self._damaged(f"its header counts {count} {what}")
        return count

    def _padded(self, count: int) -> bytes:
        data = self._take(count)
        self._take(min(-count % 4, self._size - self._at))
        return data

    def _name(self) -> str:
        length = self._count(_LONGEST_NAME, "characters of a name")
        return self._padded(length).decode("utf-8", "replace")

    def _tag(self, expected: int) -> int:
        """Return how many entries a list has."""
        tag = self._number(4)
        count = self._count(_MOST_ENTRIES, "entries of a list")
        if tag != expected and not (tag == 0 and count == 0):
            raise self._damaged("a list of its header does not begin as it should")
        return count

    def _dtype(self) -> np.dtype[np.generic]:
        code = self._number(4)
        if code not in _TYPES or (code >= _FIRST_OF_CDF5 and self.version != 5):
            raise self._damaged(f"its header names the unknown type {code}")
        return np.dtype(_TYPES[code])

    # -- lists -------------------------------------------------------------------------------

    def _dimension_list(self) -> list[tuple[str, int]]:
        found = []
        for _ in range(self._tag(_DIMENSIONS)):
            name = self._name()
            length = self._number(self._count_width)
            if length < 0:
                raise self._damaged(f"the dimension '{clean_text(name)}' has the length {length}")
            found.append((name, length))
        if sum(length == 0 for _, length in found) > 1:
            raise self._damaged("it has more than one dimension without a length")
        return found

    def _attribute_list(self) -> dict[str, object]:
        found: dict[str, object] = {}
        for _ in range(self._tag(_ATTRIBUTES)):
            name = self._name()
            dtype = self._dtype()
            count = self._count(_LONGEST_ATTRIBUTE, "values of an attribute")
            data = self._padded(count * dtype.itemsize)
            found[name] = data if dtype.kind == "S" else np.frombuffer(data, dtype=dtype)
        return found

    def _variable_list(self, sizes: list[int], records: int) -> dict[str, Variable]:
        drafts = []
        for _ in range(self._tag(_VARIABLES)):
            name = self._name()
            rank = self._count(_MOST_RANK, "dimensions of a variable")
            ids = [self._number(self._count_width) for _ in range(rank)]
            if any(not 0 <= k < len(sizes) for k in ids):
                raise self._damaged(f"the variable '{clean_text(name)}' names no dimension")
            attributes = self._attribute_list()
            dtype = self._dtype()
            self._number(self._count_width)  # the stated size is redundant, and often wrong
            begin = self._number(self._offset_width)
            shape = [sizes[k] for k in ids]
            if 0 in shape[1:]:
                raise self._damaged(f"the variable '{clean_text(name)}' has no size")
            is_record = bool(shape) and shape[0] == 0
            inner = dtype.itemsize
            for length in shape[1:] if is_record else shape:
                inner *= length
            drafts.append((name, shape, dtype, begin, inner, is_record, attributes))
        widths = [inner for *_, inner, is_record, _ in drafts if is_record]
        # A record is padded to four bytes, unless there is but one variable in it.
        stride = widths[0] if len(widths) == 1 else sum(w + -w % 4 for w in widths)
        streaming = records == -1
        if streaming and widths:
            first = min(begin for _, _, _, begin, _, is_record, _ in drafts if is_record)
            records = max(self._size - first, 0) // stride
        found = {}
        for name, shape, dtype, begin, inner, is_record, attributes in drafts:
            if is_record:
                shape = [records, *shape[1:]]
                extent = (records - 1) * stride + inner if records else 0
            else:
                extent = inner
            if begin < 0 or extent < 0 or begin + extent > self._size:
                raise RunError(
                    f"the header of '{self._path.name}' promises more than the file holds: "
                    f"'{clean_text(name)}' would end at byte {begin + extent:,}, and the file has "
                    f"{self._size:,}. It was cut off or damaged on the way: copy it again from the "
                    "instrument's computer.",
                    path=self._path,
                )
            found[name] = Variable(
                name=name,
                shape=tuple(shape),
                dtype=dtype,
                begin=begin,
                stride=stride if is_record else inner,
                is_record=is_record,
                attributes=attributes,
            )
        return found

    def _damaged(self, what: str) -> RunError:
        return RunError(
            f"the netCDF header of '{self._path.name}' is damaged: {what}. Copy the file again, or "
            "export the run again.",
            path=self._path,
        )


def _ends_early(path: Path) -> RunError:
    return RunError(
        f"'{path.name}' ends before its header does what it says. It was cut off on the way: copy "
        "it again from the instrument's computer.",
        path=path,
    )


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, np.ndarray):
        return " ".join(f"{number:g}" for number in value[:8])
    return clean_text(value)

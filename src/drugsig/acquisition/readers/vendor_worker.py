"""The other side of `vendor_process`: reads one vendor file after the other, and nothing else.

It runs as a process of its own, because a reader of undocumented binary files can hang, run out of
memory or crash on a damaged one. It takes a line of JSON a request, writes the arrays it finds into
the file named there (in numpy's format, without pickles), and answers with a line of JSON. Its only
argument is the folder of that file, which it takes away in the end.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["main"]

# The finest grid of m/z that these files record. Left to itself, rainbow rounds m/z to whole
# numbers, and adds up the ions that then fall together.
_MZ_STEP = 0.05

# Cells of the dense table of scans by m/z that are looked at together.
_CELLS = 1 << 22


def main() -> None:
    """Answer requests until there are no more."""
    # Whatever the library prints must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr
    import rainbow

    _say(answers, {"ready": True})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            answer = _read(rainbow, request)
        except Exception as error:  # noqa: BLE001  # the library raises whatever it likes
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        _say(answers, answer)
    # Whoever started this is gone, perhaps without having had the time to clean up.
    shutil.rmtree(sys.argv[1], ignore_errors=True)


def _say(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode("ascii") + b"\n")
    answers.flush()


def _read(rainbow: Any, request: dict[str, str]) -> dict[str, Any]:
    """Read one data file of a folder, write its arrays, and return what its header says."""
    folder = rainbow.read(request["folder"], requested_files=[request["part"]], bin_width=_MZ_STEP)
    found = [] if folder is None else [*folder.datafiles, *folder.analog]
    wanted = [f for f in found if f.name.lower() == request["part"].lower()]
    if not wanted:
        return {"error": f"no data were found in {request['part']}"}
    file = wanted[0]
    # The library counts in minutes.
    times_s = np.asarray(file.xlabels, dtype=np.float64) * 60.0
    if file.detector == "MS":
        # Columns and whole numbers, not masses and floats: a quarter of the bytes to hand over.
        arrays = [times_s, np.asarray(file.ylabels, dtype=np.float64), *_sparse(file.data)]
    else:
        values = np.asarray(file.data, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != 1:
            return {"error": f"{request['part']} holds spectra of light, not one trace"}
        arrays = [times_s, values[:, 0].copy()]
    with Path(request["answer"]).open("wb") as out:
        for array in arrays:
            np.save(out, array, allow_pickle=False)
    said = {**folder.metadata, **file.metadata, "detector": file.detector}
    return {
        "arrays": len(arrays),
        "header": {str(k): str(v) for k, v in said.items() if v is not None},
    }


def _sparse(table: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the length of each scan, and the column and value of the cells that are not zero."""
    width = max(table.shape[1], 1)
    small = np.uint16 if width <= np.iinfo(np.uint16).max else np.uint32
    counts = np.empty(len(table), dtype=np.int64)
    columns, values = [np.empty(0, dtype=small)], [np.empty(0, dtype=table.dtype)]
    rows = max(_CELLS // width, 1)
    for start in range(0, len(table), rows):
        block = table[start : start + rows]
        filled = block != 0
        counts[start : start + rows] = np.count_nonzero(filled, axis=1)
        at = np.flatnonzero(filled)
        columns.append((at % width).astype(small))
        values.append(block.reshape(-1)[at])
    return [counts, np.concatenate(columns), np.concatenate(values)]


if __name__ == "__main__":
    main()

"""The content digest of a profile set: sha256 of one specified encoding.

The encoding is described in ``docs/reference/digest.md``, with test vectors. It covers what a
profile set says (values, status, limits, uncertainty, metadata, targets, pretreatment), not
how it came to be read or what it is called.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drugsig._files import canonical_json

__all__ = ["ENCODING", "content_digest", "history_digest"]

ENCODING = b"drugsig-profiles-1\n"


def _section(tag: bytes, payload: bytes) -> bytes:
    return tag + struct.pack("<Q", len(payload)) + payload


def _float_bytes(array: NDArray[np.float64]) -> bytes:
    # One pattern for every NaN and one zero, so that equal content has equal bytes.
    canonical = np.where(np.isnan(array), np.nan, array + 0.0)
    return np.ascontiguousarray(canonical, dtype="<f8").tobytes()


def content_digest(
    *,
    values: NDArray[np.float64],
    status: NDArray[np.uint8],
    limits: NDArray[np.float64],
    uncertainty: NDArray[np.float64],
    targets: Sequence[tuple[str, str, str]],
    columns: Sequence[tuple[str, Sequence[str | None]]],
    pretreatment: Sequence[object],
) -> str:
    """Return the sha256, as 64 hexadecimal digits, of the canonical encoding.

    Parameters
    ----------
    values, limits, uncertainty : ndarray of float64, shape (n_profiles, n_targets)
        NaN where there is none.
    status : ndarray of uint8, shape (n_profiles, n_targets)
        `Status` of every cell.
    targets : sequence of (name, role, unit)
        In order.
    columns : sequence of (name, texts)
        The metadata; None where a cell is empty.
    pretreatment : sequence
        The steps applied, with their frozen parameters, as data.
    """
    hasher = hashlib.sha256(ENCODING)
    hasher.update(_section(b"shape", struct.pack("<QQ", *values.shape)))
    hasher.update(_section(b"targets", canonical_json([list(t) for t in targets]).encode()))
    for name, texts in columns:
        hasher.update(_section(b"column", canonical_json([name, "text", list(texts)]).encode()))
    hasher.update(_section(b"values", _float_bytes(values)))
    hasher.update(_section(b"status", np.ascontiguousarray(status, dtype="u1").tobytes()))
    hasher.update(_section(b"limits", _float_bytes(limits)))
    hasher.update(_section(b"uncertainty", _float_bytes(uncertainty)))
    hasher.update(_section(b"pretreatment", canonical_json(list(pretreatment)).encode()))
    return hasher.hexdigest()


def history_digest(name: str, content: str, history: Sequence[tuple[str, str]], /) -> str:
    """Return the sha256 of what a profile set says of how it came to be.

    Parameters
    ----------
    name : str
        What the set is called.
    content : str
        Its content digest, so that a history belongs to its profiles.
    history : sequence of (operation, detail)
        Every step; the detail as canonical JSON.
    """
    told = canonical_json([name, content, [list(step) for step in history]])
    return hashlib.sha256(told.encode()).hexdigest()

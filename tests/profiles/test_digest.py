"""The content digest: a slow encoder, written from the page that specifies it, gives the same.

The test vectors stand on that page; they are read from it, so that the two cannot drift apart.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig import ProfileSet, Step, Target, pretreat

UNKNOWN = float("nan")


def u64(number: int) -> bytes:
    return bytes((number >> (8 * k)) & 0xFF for k in range(8))


def f64(number: float) -> bytes:
    if math.isnan(number):
        return bytes.fromhex("000000000000f87f")
    if number == 0.0:
        return bytes(8)
    fraction, exponent = math.frexp(abs(number))
    if exponent < -1021:  # subnormal: a fixed exponent, no hidden bit
        bits = int(math.ldexp(fraction, exponent + 1074))
    else:
        bits = ((exponent + 1022) << 52) | (int(math.ldexp(fraction, 53)) - (1 << 52))
    return u64(bits | (1 << 63 if number < 0 else 0))


def json_text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        short = {'"': '\\"', "\\": "\\\\"}
        return '"' + "".join(short.get(c, c) for c in value) + '"'
    if isinstance(value, dict):
        pairs = [f"{json_text(k)}:{json_text(value[k])}" for k in sorted(value)]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_text(x) for x in value) + "]"
    return repr(value)


def encoded(
    *, targets, columns, values, status, limits=None, uncertainty=None, pretreatment=()
) -> str:
    """Return the digest by the letter of the page, from plain lists."""
    n, p = len(values), len(targets)
    unknown = [[UNKNOWN] * p for _ in range(n)]
    sections = [(b"shape", u64(n) + u64(p)), (b"targets", json_text(targets).encode())]
    sections += [(b"column", json_text([c, "text", cells]).encode()) for c, cells in columns]
    sections.append((b"values", b"".join(f64(x) for row in values for x in row)))
    sections.append((b"status", bytes(s for row in status for s in row)))
    for tag, table in ((b"limits", limits), (b"uncertainty", uncertainty)):
        sections.append((tag, b"".join(f64(x) for row in table or unknown for x in row)))
    sections.append((b"pretreatment", json_text(list(pretreatment)).encode()))
    whole = b"drugsig-profiles-1\n"
    for tag, payload in sections:
        whole += tag + u64(len(payload)) + payload
    return hashlib.sha256(whole).hexdigest()


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "reference" / "digest.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def vectors(page: str) -> list[str]:
    found = re.findall(r"^[0-9a-f]{64}$", page, flags=re.MULTILINE)
    assert len(found) == 3
    return found


def test_vector_1_an_empty_set(vectors: list[str]) -> None:
    assert ProfileSet(np.empty((0, 0)), [], []).digest == vectors[0]
    assert encoded(targets=[], columns=[["profile_id", []]], values=[], status=[]) == vectors[0]


def test_vector_2_status_roles_and_awkward_texts(vectors: list[str]) -> None:
    ids = ["001", 'é"\\']
    profiles = ProfileSet(
        [[2.0, 0.0], [1.5, UNKNOWN]],
        [Target("A", "main"), "B"],
        {"profile_id": ids, "batch_id": ["NA", None]},
    )
    assert profiles.digest == vectors[1]
    assert vectors[1] == encoded(
        targets=[["A", "main", "area"], ["B", "impurity", "area"]],
        columns=[["profile_id", ids], ["batch_id", ["NA", None]]],
        values=[[2.0, 0.0], [1.5, UNKNOWN]],
        status=[[0, 2], [0, 3]],
    )


def test_vector_3_pretreatment(vectors: list[str], page: str) -> None:
    raw = ProfileSet([[16.0, 48.0]], ["A", "B"], ["1"], limits=[[4.0, UNKNOWN]])
    done = pretreat(raw, "keep_detected(share=1) | sum | square_root")
    root = math.sqrt(0.75)
    assert f64(root).hex(" ") in page
    steps = [
        {"step": "keep_detected", "parameters": {"share": 1}, "learned": {"kept": ["A", "B"]}},
        {"step": "sum", "parameters": {}, "learned": {}},
        {"step": "square_root", "parameters": {}, "learned": {}},
    ]
    assert json_text(steps) in page
    assert done.digest == vectors[2]
    assert vectors[2] == encoded(
        targets=[["A", "impurity", "area"], ["B", "impurity", "area"]],
        columns=[["profile_id", ["1"]]],
        values=[[0.5, root]],
        status=[[0, 0]],
        limits=[[0.25, UNKNOWN]],
        pretreatment=steps,
    )


one_line = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
)
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.data())
def test_the_slow_encoder_agrees_on_anything(data: st.DataObject) -> None:
    n, p = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    ids = data.draw(st.lists(one_line, min_size=n, max_size=n, unique=True))
    names = [f"t{k} {data.draw(one_line)}" for k in range(p)]
    cells = data.draw(st.lists(st.none() | one_line, min_size=n, max_size=n))
    rows = st.lists(st.lists(finite, min_size=p, max_size=p), min_size=n, max_size=n)
    values, limits = data.draw(rows), data.draw(rows)
    spread = [[abs(x) for x in row] for row in data.draw(rows)]
    status = [[data.draw(st.sampled_from([0, 1, 2, 4])) for _ in range(p)] for _ in range(n)]
    shape = (n, p)
    profiles = ProfileSet(
        np.array(values).reshape(shape),
        names,
        {"profile_id": ids, "a column": cells},
        status=np.array(status, dtype=np.uint8).reshape(shape),
        limits=np.array(limits).reshape(shape),
        uncertainty=np.array(spread).reshape(shape),
    )
    assert profiles.digest == encoded(
        targets=[[name, "impurity", "area"] for name in names],
        columns=[["profile_id", ids], ["a column", cells]],
        values=values,
        status=status,
        limits=limits,
        uncertainty=spread,
    )


@given(st.recursive(finite | st.integers() | one_line | st.none(), lambda x: st.lists(x)))
def test_the_json_of_the_page_reads_back(value: object) -> None:
    assert json.loads(json_text(value)) == value


CHANGES: dict[str, dict[str, Any]] = {
    "a value": {"values": [[2.0, 3.5]]},
    "a status": {"status": [[0, 1]]},
    "a limit": {"limits": [[1.0, UNKNOWN]]},
    "an uncertainty": {"uncertainty": [[1.0, UNKNOWN]]},
    "a target": {"targets": ["A", "C"]},
    "a role": {"targets": ["A", Target("B", "main")]},
    "a unit": {"targets": ["A", Target("B", unit="ng")]},
    "an id": {"profiles": {"profile_id": ["2"], "batch_id": ["x"]}},
    "a text": {"profiles": {"profile_id": ["1"], "batch_id": ["y"]}},
    "a column name": {"profiles": {"profile_id": ["1"], "batch": ["x"]}},
    "an emptied cell": {"profiles": {"profile_id": ["1"], "batch_id": [None]}},
    "a pretreatment": {"history": [Step.make("pretreat", {"steps": [{"step": "sum"}]})]},
}


def plain(**changed) -> ProfileSet:
    full: dict[str, Any] = {
        "values": [[2.0, 3.0]],
        "targets": ["A", "B"],
        "profiles": {"profile_id": ["1"], "batch_id": ["x"]},
    }
    full |= changed
    return ProfileSet(full.pop("values"), full.pop("targets"), full.pop("profiles"), **full)


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_notices(change: str) -> None:
    assert plain(**CHANGES[change]).digest != plain().digest


def test_the_digest_does_not_look_at_names_and_other_history() -> None:
    assert plain(name="x", history=[Step("read"), Step("select")]).digest == plain().digest


def test_every_nan_is_one_nan() -> None:
    odd = np.array([np.frombuffer(u64(0xFFF8000000000001), dtype="<f8")[0]])
    assert np.isnan(odd).all()
    a = ProfileSet(odd[None, :], ["A"], ["1"])
    assert a.digest == ProfileSet([[np.nan]], ["A"], ["1"]).digest

"""The small workbook writer: other programs read what it writes."""

from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drugsig.datasets.workbooks import write_workbook
from drugsig.errors import InputError

texts = st.text(
    st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f"), min_size=1
).filter(lambda t: "_x" not in t)
cells = st.one_of(
    st.none(),
    texts,
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(datetime.date(1900, 3, 1), datetime.date(2200, 1, 1)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.lists(cells, max_size=30), min_size=1, max_size=5))
def test_cells_come_back(tmp_path: Path, rows: list[list[object]]) -> None:
    path = tmp_path / "t.xlsx"
    write_workbook(path, {"one": rows, "<two> & 'three'": [["x"]]})  # type: ignore[dict-item]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["one", "<two> & 'three'"]
    for line, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            found = book["one"].cell(line, column).value
            if isinstance(cell, datetime.date):
                assert found == datetime.datetime.combine(cell, datetime.time())
            else:
                assert found == cell


def test_text_that_looks_like_something_else_stays_text(tmp_path: Path) -> None:
    odd = ["001", "1e5", "TRUE", "=1+1", "NA", " space "]
    write_workbook(tmp_path / "t.xlsx", {"one": [odd]})
    found = next(openpyxl.load_workbook(tmp_path / "t.xlsx")["one"].iter_rows())
    assert [c.value for c in found] == odd
    assert {c.data_type for c in found} <= {"s", "inlineStr"}


def test_a_workbook_without_sheets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one sheet"):
        write_workbook(tmp_path / "t.xlsx", {})
    assert list(tmp_path.iterdir()) == []

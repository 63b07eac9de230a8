"""Writing tables: identical round trips, the escape against formulas, whole files or none."""

from __future__ import annotations

import math
import os
import re
import tempfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drugsig.errors import DrugsigError, InputError, OutputError, TableError, UnknownNameError
from drugsig.profiles import ProfileSet, Status, Step
from drugsig.profiles.tables import (
    describe_table,
    read_profiles,
    read_table,
    write_columns,
    write_profiles,
    write_table,
)
from drugsig.protocols.target import ROLES, Target

FORMS = [(".csv", False), (".csv", True), (".tsv", False), (".tsv", True), (".xlsx", False)]
HOSTILE = [
    "=1+1", "'x", "''", "'", "@a", "#name", "#kind", "#drugsig-profiles", "-5", "+3", "001", "NA",
    "1e5", "TRUE", "nan", "1.0", "1,5", "a;b", 'say "so"', '"', " leading", "trailing ", "a|b",
    "\uff1dx", "\uff20x", "_x0041_", "_x005F_x0041_", "_x000D_", "\ufeffbom", "\ufffe",
    "\uffff", "é", "日本", "🙂", "<&>", "]]>", "sep=;", "nul\u00a0space", "2015-01-01",
]  # fmt: skip

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=8),
)
numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [0.0, -0.0, -1e-300, 5e-324, 1.7976931348623157e308, 0.1, 1 / 3, 1e22, 123456.0]
    ),
)
unknown_or_number = st.one_of(st.just(math.nan), numbers)


@st.composite
def profile_sets(draw: st.DrawFn) -> ProfileSet:
    n, p = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    names = draw(st.lists(texts, min_size=p + 2, max_size=p + 2, unique=True))
    ids = draw(st.lists(texts, min_size=n, max_size=n, unique=True))
    targets = [Target(name, draw(st.sampled_from(ROLES)), draw(texts)) for name in names[:p]]
    status = np.array(
        draw(st.lists(st.sampled_from(list(Status)), min_size=n * p, max_size=n * p)), dtype=int
    ).reshape(n, p)
    values = np.array(draw(st.lists(numbers, min_size=n * p, max_size=n * p)), dtype=float)
    values = values.reshape(n, p)
    values[status == Status.NOT_MEASURED] = math.nan
    empty_if_rejected = np.array(draw(st.booleans()))
    values[(status == Status.REJECTED) & empty_if_rejected] = math.nan
    limits = np.array(
        draw(st.lists(unknown_or_number, min_size=n * p, max_size=n * p)), dtype=float
    )
    spread = np.array(
        draw(st.lists(unknown_or_number, min_size=n * p, max_size=n * p)), dtype=float
    )
    table = {"profile_id": ids}
    for name in names[p:]:
        if name != "profile_id":
            table[name] = draw(st.lists(st.one_of(st.none(), texts), min_size=n, max_size=n))
    detail = st.dictionaries(texts, st.one_of(texts, st.integers(), st.booleans()), max_size=3)
    steps = [Step.make(draw(texts), draw(detail)) for _ in range(draw(st.integers(0, 3)))]
    return ProfileSet(
        values,
        [t for t in targets if t.name != "profile_id"] if p else [],
        table,
        status=status,
        limits=limits.reshape(n, p),
        uncertainty=np.abs(spread).reshape(n, p),
        history=[s for s in steps if s.operation != "pretreat"],
        name=draw(texts),
    )


def same(a: ProfileSet, b: ProfileSet) -> bool:
    """Say whether two sets agree in everything, to the sign of zero."""
    return (
        a.digest == b.digest
        and a.name == b.name
        and a.history == b.history
        and a.targets == b.targets
        and a.metadata_columns == b.metadata_columns
        and a.ids == b.ids
        and a.values.tobytes() == b.values.tobytes()
        and a.status.tobytes() == b.status.tobytes()
        and np.array_equal(a.limits, b.limits, equal_nan=True)
        and np.array_equal(a.uncertainty, b.uncertainty, equal_nan=True)
    )


@pytest.fixture
def some() -> ProfileSet:
    return ProfileSet(
        [[1.5, 0.0, math.nan], [2.0, 0.0, 7.25], [-1e-300, 3.0, math.nan]],
        [Target("A"), Target("cocaine", "main"), Target("=T", "impurity", "ratio")],
        {"profile_id": ["001", "=1+1", "NA"], "region": ["é", None, "- b"]},
        status=[[0, 1, 4], [0, 2, 4], [0, 0, 3]],
        limits=[[math.nan, 0.5, math.nan], [math.nan, math.nan, math.nan], [0.1, 0.5, 0.2]],
        uncertainty=[[0.1, math.nan, math.nan]] * 3,
        history=[Step.make("read", {"file": "a.csv", "guesses": ["x\ny"]})],
        name="-set",
    )


@pytest.mark.parametrize(("ending", "comma"), FORMS)
@given(profiles=profile_sets())
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_what_is_written_is_read_back_identically(
    ending: str, comma: bool, profiles: ProfileSet
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_profiles(profiles, Path(folder) / f"p{ending}", decimal_comma=comma)
        assert same(read_profiles(path), profiles)


@pytest.mark.parametrize(("ending", "comma"), FORMS)
def test_round_trip_of_every_kind_of_cell(
    tmp_path: Path, some: ProfileSet, ending: str, comma: bool
) -> None:
    path = write_profiles(some, tmp_path / f"p{ending}", decimal_comma=comma)
    assert same(read_profiles(path), some)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx"])
def test_hostile_ids_and_metadata_come_back(tmp_path: Path, ending: str) -> None:
    profiles = ProfileSet(
        np.arange(1.0, len(HOSTILE) + 1)[:, None], ["T"], {"profile_id": HOSTILE, "m": HOSTILE}
    )
    back = read_profiles(write_profiles(profiles, tmp_path / f"p{ending}"))
    assert back.ids == tuple(HOSTILE)
    assert back.column("m") == tuple(HOSTILE)


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize("shape", [(0, 0), (0, 2), (2, 0)])
def test_empty_sets_come_back(tmp_path: Path, ending: str, shape: tuple[int, int]) -> None:
    profiles = ProfileSet(
        np.empty(shape) * 0 + 1,
        [f"T{k}" for k in range(shape[1])],
        [f"p{k}" for k in range(shape[0])],
    )
    assert same(read_profiles(write_profiles(profiles, tmp_path / f"p{ending}")), profiles)


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_history_longer_than_a_cell_comes_back(tmp_path: Path, ending: str) -> None:
    step = Step.make("fit", {"weights": [k / 7 for k in range(20_000)], "note": "  " * 40_000})
    profiles = ProfileSet([[1.0]], ["T"], ["a"], history=[step])
    back = read_profiles(write_profiles(profiles, tmp_path / f"p{ending}"))
    assert back.history == profiles.history


def test_companion_columns_only_where_they_say_something(tmp_path: Path) -> None:
    plain = ProfileSet([[1.0, 0.0], [2.0, math.nan]], ["A", "B"], ["x", "y"])
    path = write_profiles(plain, tmp_path / "p.csv")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[-4:] == ["#kind,value,value", "profile_id,A,B", "x,1.0,0.0", "y,2.0,"]


def test_decimal_comma_file_is_what_a_german_spreadsheet_expects(tmp_path: Path) -> None:
    plain = ProfileSet([[1.5]], ["A"], ["x"])
    path = write_profiles(plain, tmp_path / "p.csv", decimal_comma=True)
    assert path.read_text(encoding="utf-8-sig").splitlines()[-1] == "x;1,5"


def test_a_file_edited_by_hand_is_read_and_says_so(tmp_path: Path) -> None:
    path = write_profiles(ProfileSet([[1.5]], ["A"], ["x"]), tmp_path / "p.csv")
    path.write_text(path.read_text(encoding="utf-8").replace("x,1.5", "x,2.5"), encoding="utf-8")
    profiles = read_profiles(path)
    assert profiles.values[0, 0] == 2.5
    last = profiles.history[-1]
    assert last.operation == "digest_mismatch"
    assert last.detail["read"] == profiles.digest


def test_a_workbook_saved_again_by_another_program_is_the_same(
    tmp_path: Path, some: ProfileSet
) -> None:
    path = write_profiles(some, tmp_path / "p.xlsx")
    book = openpyxl.load_workbook(path)
    book.create_sheet("notes")["A1"] = "seen by the reviewer"
    book.save(path)
    back = read_profiles(path)
    assert back.digest == some.digest
    assert back.history == some.history


def test_no_cell_of_a_workbook_is_a_formula(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.xlsx", ["a"], [["=1+1"], ["@SUM(A1)"], [-5.0]])
    cells = [row[0] for row in openpyxl.load_workbook(path).active.iter_rows()]  # type: ignore[union-attr]
    assert [c.data_type for c in cells] == ["s", "s", "s", "n"]
    assert [c.value for c in cells] == ["a", "'=1+1", "'@SUM(A1)", -5]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "'", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_the_escape_is_one_apostrophe_and_is_undone(
    tmp_path: Path, start: str, ending: str
) -> None:
    text = start + "cmd"
    path = write_table(tmp_path / f"t{ending}", [text], [[text]])
    assert read_table(path) == ([text], [[text]])
    if ending == ".csv":
        assert path.read_bytes().decode("utf-8-sig").replace('"', "").startswith("'" + start)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx"])
def test_a_negative_number_as_text_needs_no_escape(tmp_path: Path, ending: str) -> None:
    plain = ["-0.009", "-5", "-0,5", "-1e-05", "-2.5E+03"]
    dangerous = ["-5-3", "-1+1", "-A1", "-", "-5%", "-.5e", "-1e", "-1 2", "-\u0665"]
    path = write_table(tmp_path / f"t{ending}", ["a"], [[t] for t in plain + dangerous])
    assert read_table(path)[1] == [[t] for t in plain + dangerous]
    if ending == ".tsv":
        text = path.read_text(encoding="utf-8-sig")
        written = [line.strip('"') for line in text.splitlines()[1:]]
        assert written == plain + [f"'{t}" for t in dangerous]
    profiles = ProfileSet([[1.0]], ["T"], {"profile_id": ["-5"], "shift": ["-0.009"]})
    assert read_profiles(write_profiles(profiles, tmp_path / f"p{ending}")) == profiles


@given(
    rows=st.lists(
        st.tuples(
            st.one_of(texts, st.just(""), st.just("a\nb"), st.just("a\r\nb\tc")),
            st.one_of(st.none(), st.floats(allow_infinity=False), st.integers(), st.booleans()),
        ),
        max_size=6,
    ),
    heads=st.lists(texts, min_size=2, max_size=2),
    form=st.sampled_from(FORMS),
)
@example(rows=[("", None)], heads=["'a", "b;c"], form=(".csv", True))
@example(rows=[], heads=["\uffff", "\uffff"], form=(".tsv", False))
def test_any_table_comes_back_as_text(
    rows: list[tuple[str, object]], heads: list[str], form: tuple[str, bool]
) -> None:
    def written(cell: object) -> str:
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            return ""
        if isinstance(cell, bool):
            return str(cell).lower()
        return repr(cell)

    with tempfile.TemporaryDirectory() as folder:
        path = write_table(Path(folder) / f"t{form[0]}", heads, rows, decimal_comma=form[1])
        columns, back = read_table(path)
    assert columns == heads
    assert [r[0] for r in back] == [r[0] for r in rows]
    found = [r[1].replace(",", ".") if form[1] else r[1] for r in back]
    # A workbook has one kind of number: 2.0 comes back as 2.
    assert all(
        a == written(b) or (form[0] == ".xlsx" and float(a) == float(str(b)))
        for a, (_, b) in zip(found, rows, strict=True)
    )


any_cells = st.one_of(st.none(), st.booleans(), st.integers(), texts, unknown_or_number)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, object]:
    n = draw(st.integers(0, 5))

    def cells(of: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(of, min_size=n, max_size=n))

    return {
        "float": np.array(cells(st.one_of(unknown_or_number, st.just(math.inf))), dtype=float),
        "single": np.array(cells(st.floats(width=32)), dtype=np.float32),
        "whole": np.array(cells(st.integers(-(2**63), 2**63 - 1)), dtype=np.int64),
        "byte": np.array(cells(st.integers(0, 255)), dtype=np.uint8),
        "truth": np.array(cells(st.booleans()), dtype=bool),
        "any": cells(any_cells),
        "kinds": pd.Categorical(cells(st.sampled_from([*HOSTILE[:8], None]))),
        "one": draw(any_cells),
    }


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(table=tables(), form=st.sampled_from(FORMS))
def test_columns_are_written_as_their_cells_are_one_by_one(
    table: dict[str, object], form: tuple[str, bool]
) -> None:
    n = len(table["any"])  # type: ignore[arg-type]
    columns = [
        [table[name]] * n if name == "one" else list(column)  # type: ignore[call-overload]
        for name, column in table.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        by_columns, by_rows, by_frame = (Path(folder) / f"{k}{form[0]}" for k in range(3))
        write_columns(by_columns, table, decimal_comma=form[1])
        write_table(by_rows, list(table), zip(*columns, strict=True), decimal_comma=form[1])
        frame = pd.DataFrame({**table, "any": pd.Series(table["any"], dtype=object)})
        frame["one"] = pd.Series([table["one"]] * n, dtype=object)
        write_columns(by_frame, frame, decimal_comma=form[1])
        assert by_columns.read_bytes() == by_rows.read_bytes() == by_frame.read_bytes()


def test_more_lines_than_are_written_at_once_are_the_same_lines(tmp_path: Path) -> None:
    n = 40_000
    write_columns(tmp_path / "a.csv", {"k": np.arange(n), "half": np.arange(n) / 2, "unit": "mg"})
    rows = ([k, k / 2, "mg"] for k in range(n))
    write_table(tmp_path / "b.csv", ["k", "half", "unit"], rows)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("columns", [{"a": [1], "b": [1, 2]}, {"a": "x"}])
def test_columns_of_different_lengths_or_of_none_are_refused(
    tmp_path: Path, columns: dict[str, object]
) -> None:
    with pytest.raises(InputError, match="equally long"):
        write_columns(tmp_path / "t.csv", columns)
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_one_empty_column_keeps_its_rows(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.csv", ["a"], [[None], ["x"], [None]])
    assert read_table(path) == (["a"], [[""], ["x"], [""]])


def test_numpy_scalars_are_numbers(tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "t.csv", ["a", "b", "c"], [[np.float64(0.1), np.int64(3), np.bool_(True)]]
    )
    assert read_table(path)[1] == [["0.1", "3", "true"]]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx"])
def test_equal_tables_are_equal_files(tmp_path: Path, some: ProfileSet, ending: str) -> None:
    a = write_profiles(some, tmp_path / f"a{ending}").read_bytes()
    b = write_profiles(some, tmp_path / f"b{ending}").read_bytes()
    assert a == b


def test_an_existing_file_is_kept_unless_overwrite_is_said(
    tmp_path: Path, some: ProfileSet
) -> None:
    path = tmp_path / "p.csv"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"already there.*overwrite=True"):
        write_profiles(some, path)
    assert path.read_text(encoding="utf-8") == "mine"
    write_profiles(some, path, overwrite=True)
    assert same(read_profiles(path), some)


def test_a_folder_is_never_replaced(tmp_path: Path, some: ProfileSet) -> None:
    (tmp_path / "p.csv").mkdir()
    with pytest.raises(OutputError, match="a folder of that name"):
        write_profiles(some, tmp_path / "p.csv", overwrite=True)


def test_a_missing_folder_is_named(tmp_path: Path, some: ProfileSet) -> None:
    with pytest.raises(OutputError, match=r"cannot be written in .*nowhere"):
        write_profiles(some, tmp_path / "nowhere" / "p.csv")


def test_an_unknown_ending_is_refused(tmp_path: Path, some: ProfileSet) -> None:
    with pytest.raises(UnknownNameError, match=r"\.xlsx"):
        write_profiles(some, tmp_path / "p.xls")


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_nothing_half_written_stays(tmp_path: Path, ending: str) -> None:
    def rows() -> object:
        yield ["a"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(tmp_path / f"t{ending}", ["h"], rows())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_failed_overwrite_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.csv", ["h"], [["old"]])
    with pytest.raises(InputError, match="has 2 cell"):
        write_table(path, ["h"], [["new"], ["a", "b"]], overwrite=True)
    assert read_table(path)[1] == [["old"]]
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_others_may_read_the_file_as_the_umask_says(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.csv", ["h"], [["x"]])
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("cell", [[1], {"a": 1}, b"x", object()])
def test_a_cell_of_another_type_is_refused(tmp_path: Path, cell: object) -> None:
    with pytest.raises(InputError, match="a cell of a table is"):
        write_table(tmp_path / "t.csv", ["h"], [[cell]])


@pytest.mark.parametrize("text", ["a\x00b", "\x07", "\ud800"])
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_text_that_no_table_can_hold_is_refused(tmp_path: Path, text: str, ending: str) -> None:
    with pytest.raises(InputError, match=r"holds the character U\+"):
        write_table(tmp_path / f"t{ending}", ["h"], [[text]])


@pytest.mark.parametrize(("ending", "length"), [(".csv", 131_072), (".xlsx", 32_768)])
def test_text_too_long_for_a_cell_is_refused(tmp_path: Path, ending: str, length: int) -> None:
    with pytest.raises(InputError, match="too long"):
        write_table(tmp_path / f"t{ending}", ["h"], [["x" * length]])


def test_columns_must_be_headings(tmp_path: Path) -> None:
    for columns in ("abc", [], [1]):
        with pytest.raises(InputError, match="list of headings"):
            write_table(tmp_path / "t.csv", columns, [])  # type: ignore[arg-type]


def test_another_type_than_profiles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ProfileSet"):
        write_profiles([[1.0]], tmp_path / "p.csv")  # type: ignore[arg-type]


def test_a_cut_off_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3", encoding="utf-8")
    with pytest.raises(TableError, match="line 3") as caught:
        read_table(path)
    assert caught.value.line == 3


# -- drugsig's own format, broken ------------------------------------------------------------


@pytest.fixture
def native(tmp_path: Path, some: ProfileSet) -> Path:
    return write_profiles(some, tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("#drugsig-profiles,1,", "#drugsig-profiles,2,", r"line 1: .*version 2"),
        ("decimal point", "decimal dot", r"line 1: must say one of"),
        ("#target,cocaine,main", "#target,cocaine,mane", r"line 5: .*Did you mean 'main'"),
        ("#target,cocaine,main,area\n", "", r"value columns are .* but the targets"),
        ("#name", "#nom", r"line 2: '#nom'"),
        ("#kind,metadata", "#kind,metadatum", r"a column is one of .*'metadatum'"),
        ("#kind,metadata", "#kind,status", r"a status column belongs to the value column before"),
        ("#kind,metadata", "#kind", r"must have 8 headings|must have \d+ headings"),
        ("\nprofile_id,", "\nid,", r"begin with 'profile_id'"),
        ('"{""file', '"{{""file', r"line 7: the history"),
        ("\nNA,", "\n001,", r"profile ids must be unique"),
        ("below_loq", "below_lok", r"unknown status 'below_lok'"),
        ("1.5,", "1.5x,", r"line 10, column 'A': '1\.5x' is no number"),
        ("1.5,", "1e999,", r"line 10, column 'A': '1e999' is no number"),
        ("1.5,", "inf,", r"line 10, column 'A': 'inf' is no number"),
        ("1.5,", "1_5,", r"line 10, column 'A': '1_5' is no number"),
        ("\nNA,", "\nNA,x,", r"line 12: the line has \d+ cells"),
    ],
)
def test_a_broken_file_of_the_own_format_is_refused_with_its_line(
    native: Path, old: str, new: str, message: str
) -> None:
    text = native.read_text(encoding="utf-8")
    assert old in text
    native.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(TableError, match=message):
        read_profiles(native)


@pytest.mark.parametrize("lines", range(1, 12))
def test_a_cut_off_file_of_the_own_format_is_never_read_as_whole(native: Path, lines: int) -> None:
    text = native.read_text(encoding="utf-8").split("\n")
    native.write_text("\n".join(text[:lines]) + "\n", encoding="utf-8")
    if lines < 9:
        with pytest.raises(TableError):
            read_profiles(native)
    else:
        assert read_profiles(native).history[-1].operation == "digest_mismatch"


def test_the_own_format_says_itself_what_it_holds(native: Path) -> None:
    with pytest.raises(InputError, match="Leave out targets="):
        read_profiles(native, targets=["A"])


def test_another_name_may_be_given(native: Path, some: ProfileSet) -> None:
    profiles = read_profiles(native, name="lab B")
    assert profiles.name == "lab B"
    assert profiles.history == some.history


def test_info_about_the_own_format(native: Path, some: ProfileSet) -> None:
    info = describe_table(native)
    assert info.format == "drugsig"
    assert info.targets == some.target_names
    assert info.problem is None


# -- a history that was edited ---------------------------------------------------------------


@pytest.fixture
def risky(tmp_path: Path) -> Path:
    """Write a table in the own format whose history tells a risk."""
    (tmp_path / "plain.csv").write_text(
        "Sample,cocaine,T1\nA,5.5,2.5\nB,6.5,3.5\n", encoding="utf-8"
    )
    profiles = read_profiles(tmp_path / "plain.csv")
    assert profiles.history[0].detail["risks"]
    return write_profiles(profiles, tmp_path / "own.csv")


def test_an_untouched_history_says_nothing(risky: Path) -> None:
    assert [s.operation for s in read_profiles(risky).history] == ["read"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r'""risks"":\[.*?\]', '""risks"":[]'),
        ("name of a main compound", "name of a wain compound"),
        (r"#history,read,.*\n", ""),
        ("#name,plain", "#name,other"),
        ('""sha256"":""[0-9a-f]', '""sha256"":""x'),
    ],
)
def test_an_edited_history_is_told(old: str, new: str, risky: Path) -> None:
    text = risky.read_text(encoding="utf-8")
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    risky.write_text(changed, encoding="utf-8")
    profiles = read_profiles(risky)
    last = profiles.history[-1]
    assert last.operation == "digest_mismatch"
    assert "history in own.csv was edited outside drugsig" in last.detail["risks"][0]
    assert last.detail["written"] == last.detail["read"] == profiles.digest
    # Written again, the step stays, and taking it out is noticed.
    again = write_profiles(profiles, risky.with_name("again.csv"))
    assert read_profiles(again).history == profiles.history
    lines = again.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("#history,digest_mismatch")]
    assert len(kept) == len(lines) - 1
    again.write_text("".join(kept), encoding="utf-8")
    assert read_profiles(again).history[-1].operation == "digest_mismatch"


def test_a_table_without_the_digest_of_its_history_is_read_and_says_so(risky: Path) -> None:
    text = risky.read_text(encoding="utf-8")
    risky.write_text(re.sub(r"(#digest,[0-9a-f]{64}),[0-9a-f]{64}", r"\1", text), encoding="utf-8")
    (said,) = read_profiles(risky).history[-1].detail["risks"]
    assert "does not say what its history was" in said


def test_bit_flips_in_a_history_are_refused_or_told(risky: Path) -> None:
    data = risky.read_bytes()
    first = data.index(b"#history")
    line = range(first, data.index(b"\n", first))
    rng = np.random.default_rng(4)
    silent = 0
    for _ in range(200):
        flipped = bytearray(data)
        flipped[rng.choice(line)] ^= 1 << int(rng.integers(8))
        risky.write_bytes(flipped)
        try:
            silent += read_profiles(risky).history[-1].operation != "digest_mismatch"
        except DrugsigError:
            continue
    assert silent == 0


# -- formulas behind another separator -------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal_comma", [False, True])
@pytest.mark.parametrize(
    "text", ["x;=1+1", 'x; "=1+1', "x,@SUM(A1)", "x\t+1", "x|-1+1", "x;'=1", "a,\uff1d1", 'x";=2']
)
def test_no_cell_of_any_separator_begins_a_formula(
    text: str, decimal_comma: bool, delimiter: str, tmp_path: Path
) -> None:
    path = write_table(tmp_path / "t.csv", ["a", "b"], [[text, 1.5]], decimal_comma=decimal_comma)
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        for cell in line.split(delimiter):
            assert cell.strip(' "')[:1] not in set("=+-@\uff1d\uff0b\uff0d\uff20"), cell
    assert read_table(path)[1][0][0] == text

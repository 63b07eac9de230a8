"""`ProfileSet`: its invariants, whatever is done to it."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig import ProfileSet, Status, Step, Target
from drugsig.errors import InputError, MetadataError, UnknownNameError

ARRAYS = ("values", "status", "limits", "uncertainty")

ids_as_text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
)


def small(**more) -> ProfileSet:
    return ProfileSet(
        [[4.0, 0.0, np.nan], [1.0, 2.0, 3.0]],
        ["A", "B", "C"],
        {"profile_id": ["001", "002"], "batch_id": ["b1", None]},
        **more,
    )


def writable(profiles: ProfileSet) -> list[str]:
    """Return the arrays that can be written to; runs in a worker too."""
    return [name for name in ARRAYS if getattr(profiles, name).flags.writeable]


def test_status_follows_from_the_values_where_it_is_not_given() -> None:
    assert small().status.tolist() == [
        [Status.DETECTED, Status.BELOW_LOD, Status.NOT_MEASURED],
        [Status.DETECTED] * 3,
    ]
    assert np.isnan(small().limits).all()
    assert np.isnan(small().uncertainty).all()


def test_measured_and_detected_are_different_things() -> None:
    status = [[Status.DETECTED, Status.BELOW_LOQ, Status.BELOW_LOD, Status.NOT_MEASURED]]
    s = ProfileSet([[1.0, 0.5, 0.0, np.nan]], list("ABCD"), ["1"], status=status)
    assert s.measured.tolist() == [[True, True, True, False]]
    assert s.detected.tolist() == [[True, False, False, False]]
    rejected = ProfileSet([[9.0]], ["A"], ["1"], status=[[Status.REJECTED]])
    assert not rejected.measured.any()


# -- immutability --------------------------------------------------------------------------


def test_arrays_cannot_be_written_to() -> None:
    s = small()
    assert writable(s) == []
    with pytest.raises(ValueError, match="read-only"):
        s.values[0, 0] = 5.0


def test_what_was_given_stays_the_callers_own() -> None:
    values = np.ones((2, 1))
    table = pd.DataFrame({"profile_id": ["1", "2"], "batch_id": ["x", "y"]})
    s = ProfileSet(values, ["A"], table)
    values[0, 0] = 7.0
    table.loc[0, "batch_id"] = "z"
    assert s.values[0, 0] == 1.0
    assert s.column("batch_id") == ("x", "y")
    assert values.flags.writeable


def test_tables_are_handed_out_as_copies() -> None:
    s = small()
    table, frame = s.profiles, s.to_frame()
    table.loc[0, "batch_id"] = "other"
    frame.iloc[0, 0] = 99.0
    assert s.column("batch_id") == ("b1", None)
    assert s.values[0, 0] == 4.0
    assert s.digest == small().digest


@pytest.mark.parametrize(
    "passed",
    [lambda s: pickle.loads(pickle.dumps(s)), copy.copy, copy.deepcopy],  # noqa: S301
)
def test_copies_are_equal_and_as_read_only(passed) -> None:
    s = small()
    s.digest  # noqa: B018 - what is cached travels along
    again = passed(s)
    assert again == s
    assert again.ids == s.ids
    assert again.history == s.history
    assert writable(again) == []


def test_arrays_are_read_only_in_a_spawned_worker() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(writable, (small(),)) == []


def test_attributes_cannot_be_replaced() -> None:
    with pytest.raises(AttributeError):
        small().values = np.zeros((2, 3))  # type: ignore[misc]


# -- identifiers and metadata are text -------------------------------------------------------


@given(st.lists(ids_as_text, min_size=1, max_size=6, unique=True))
def test_any_text_is_an_id_and_stays_what_it_is(ids: list[str]) -> None:
    s = ProfileSet(np.ones((len(ids), 1)), ["A"], ids)
    assert s.ids == tuple(ids)
    assert s.select(list(reversed(ids))).ids == tuple(reversed(ids))


@pytest.mark.parametrize("text", ["001", "NA", "1e5", "nan", "None", "null", "<NA>", " 1 ", "TRUE"])
def test_texts_that_look_like_something_else_stay_text(text: str) -> None:
    s = ProfileSet([[1.0]], ["A"], {"profile_id": [text], "batch_id": [text]})
    assert s.ids == (text,)
    assert s.column("batch_id") == (text,)
    assert s.profiles["batch_id"].tolist() == [text]


@pytest.mark.parametrize("empty", [None, "", np.nan, pd.NA, pd.NaT, float("nan")])
def test_every_kind_of_missing_metadata_is_an_empty_cell(empty: object) -> None:
    s = ProfileSet([[1.0]], ["A"], {"profile_id": ["1"], "batch_id": [empty]})
    assert s.column("batch_id") == (None,)


@pytest.mark.parametrize("bad", [5, 1.5, True, "two\nlines"])
def test_metadata_that_are_not_text_are_refused(bad: object) -> None:
    with pytest.raises(InputError, match="metadata column 'batch_id'"):
        ProfileSet([[1.0]], ["A"], {"profile_id": ["1"], "batch_id": [bad]})
    with pytest.raises(InputError):
        ProfileSet([[1.0]], ["A"], ["1"]).with_column("batch_id", [bad])  # type: ignore[list-item]


@pytest.mark.parametrize("bad", [[1, 2], ["a", None], ["a", ""], ["a", "a"], "ab"])
def test_ids_that_are_not_distinct_texts_are_refused(bad) -> None:
    with pytest.raises(InputError, match="profile ids"):
        ProfileSet(np.ones((2, 1)), ["A"], bad)


# -- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"values": [1.0, 2.0]}, r"shape \(profiles, targets\), got 1 dimension"),
        ({"values": [["a", "b"]]}, "real numbers"),
        ({"values": [[1 + 2j, 1]]}, "real numbers"),
        ({"values": [[1.0, np.inf]]}, "not finite; the first is inf in row 0, column 1"),
        ({"values": [[1.0], [1.0, 2.0]]}, "rows differ in length"),
        ({"targets": ["A"]}, r"2 column\(s\), but 1 target\(s\)"),
        ({"targets": ["A", "A"]}, "target names must be unique, but 'A'"),
        ({"targets": "AB"}, "must be a list"),
        ({"profiles": ["1", "2"]}, "1 rows of values, but column 'profile_id' has 2"),
        ({"profiles": {"batch_id": ["x"]}}, "no column 'profile_id'"),
        ({"profiles": {"profile_id": ["1"], "A": ["x"]}}, "name of a target and of a metadata"),
        ({"status": [[0, 5]]}, "0 detected, 1 below_loq"),
        ({"status": [[0, -1]]}, "whole numbers of drugsig.Status"),
        ({"status": [[0.0, 1.0]]}, "whole numbers of drugsig.Status"),
        ({"status": [[0]]}, r"status must have shape \(1, 2\), got \(1, 1\)"),
        ({"limits": [[1.0]]}, "limits must have shape"),
        ({"limits": [[1.0, np.inf]]}, "limits holds"),
        ({"uncertainty": [[1.0, -1.0]]}, "must not be negative"),
        ({"history": ["sum"]}, "drugsig.Step"),
        ({"name": ""}, "the name of a profile set"),
    ],
)
def test_what_cannot_be_a_profile_set_is_refused(arguments, said) -> None:
    full = {"values": [[1.0, 2.0]], "targets": ["A", "B"], "profiles": ["1"]} | arguments
    with pytest.raises(InputError, match=said):
        ProfileSet(full.pop("values"), full.pop("targets"), full.pop("profiles"), **full)


@pytest.mark.parametrize(
    ("value", "status", "fine"),
    [
        (np.nan, Status.NOT_MEASURED, True),
        (np.nan, Status.REJECTED, True),
        (3.0, Status.REJECTED, True),
        (3.0, Status.BELOW_LOQ, True),
        (0.0, Status.DETECTED, True),
        (np.nan, Status.DETECTED, False),
        (np.nan, Status.BELOW_LOD, False),
        (3.0, Status.NOT_MEASURED, False),
    ],
)
def test_status_and_value_must_not_contradict_each_other(value, status, fine) -> None:
    def make() -> ProfileSet:
        return ProfileSet([[1.0, value]], ["A", "B"], ["007"], status=[[Status.DETECTED, status]])

    if fine:
        assert make().status[0, 1] == status
    else:
        said = f"profile '007', target 'B': status '{status.label}'"
        with pytest.raises(InputError, match=said):
            make()


def test_columns_of_a_table_must_not_come_twice() -> None:
    table = pd.DataFrame([["1", "x", "y"]], columns=["profile_id", "b", "b"])
    with pytest.raises(InputError, match="metadata columns must be unique"):
        ProfileSet([[1.0]], ["A"], table)


# -- parts of it -----------------------------------------------------------------------------


def test_parts_are_chosen_by_id_row_or_flag() -> None:
    s = ProfileSet(np.arange(6.0).reshape(3, 2) + 1, ["A", "B"], ["x", "y", "z"])
    by_id = s.select(["z", "x"], why="to look at")
    assert by_id.ids == ("z", "x")
    assert by_id.values.tolist() == [[5.0, 6.0], [1.0, 2.0]]
    assert by_id == s.select(np.array([2, 0])) == s.select(np.array(["z", "x"]))
    assert s.select(np.array([-1, 0])) == by_id
    assert s.select(np.array([True, False, True])) == s.without(["y"])
    assert by_id.history[-1].detail == {"profiles": 2, "of": 3, "why": "to look at"}
    assert len(s.select([])) == 0


@pytest.mark.parametrize(
    "places",
    [
        np.array([True, False]),
        np.array([3]),
        np.array([-4]),
        np.array([0, 0]),
        np.array([0.0, 1.0]),
        np.ones((3, 3), dtype=bool),
        "xyz",
    ],
)
def test_places_that_do_not_fit_are_refused(places) -> None:
    s = ProfileSet(np.ones((3, 1)), ["A"], ["x", "y", "z"])
    with pytest.raises(InputError):
        s.select(places)


def test_an_unknown_id_names_the_nearest() -> None:
    s = ProfileSet(np.ones((2, 1)), ["A"], ["S_001", "S_002"])
    for act in (s.select, s.without, s.index_of):
        with pytest.raises(UnknownNameError, match=r"unknown profile 'S_01'.*Did you mean 'S_001'"):
            act(["S_01"])
    with pytest.raises(UnknownNameError, match="unknown target 'B'"):
        s.keep_targets(["B"])
    with pytest.raises(UnknownNameError, match="unknown target 'B'"):
        s.with_roles({"B": "main"})
    with pytest.raises(MetadataError, match=r"no metadata column 'batch_id'.*'profile_id'"):
        s.column("batch_id")


def test_targets_are_kept_in_the_order_asked_for_with_all_that_belongs_to_them() -> None:
    s = small(limits=[[1, 2, 3], [4, 5, 6]], uncertainty=[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    kept = s.keep_targets(["C", "A"])
    assert kept.target_names == ("C", "A")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(kept, name), getattr(s, name)[:, [2, 0]])


def test_a_metadata_column_is_added_or_replaced_but_never_the_ids() -> None:
    s = small().with_column("place", ["Bonn", None])
    assert s.column("place") == ("Bonn", None)
    assert s.with_column("place", [None, "Ulm"]).column("place") == (None, "Ulm")
    assert s.metadata_columns == ("batch_id", "place")
    with pytest.raises(InputError, match="cannot be replaced"):
        s.with_column("profile_id", ["a", "b"])
    with pytest.raises(InputError, match="column 'place' has 1"):
        s.with_column("place", ["Bonn"])


# -- equality and how it shows itself ----------------------------------------------------------


def test_equal_content_is_equal_whatever_it_is_called_and_however_it_was_read() -> None:
    a = small(name="a", history=[Step("read")])
    assert a == small(name="b")
    assert hash(a) == hash(small())
    assert a != small(limits=[[1, np.nan, np.nan], [np.nan] * 3])
    assert a != "something else"
    assert {a: 1}[small()] == 1


def test_zeros_of_both_signs_are_equal() -> None:
    assert ProfileSet([[-0.0]], ["A"], ["1"]) == ProfileSet([[0.0]], ["A"], ["1"])


def test_the_representation_is_one_honest_line() -> None:
    assert repr(small()) == (
        "<ProfileSet 'profiles': 2 profiles x 3 targets, 4 of 6 cells detected>"
    )


def test_html_is_a_table_only_and_escapes_every_text() -> None:
    s = ProfileSet(
        [[1.0, 0.0, np.nan]],
        ["<b>", "a&b", 'q"'],
        ["<script>alert(1)</script>"],
        name="<i>x</i>",
    )
    page = s._repr_html_()
    assert page.startswith("<table>")
    assert page.endswith("</table>")
    assert "&lt;script&gt;" in page
    assert set(re.findall(r"<\s*/?\s*([a-z]+)", page)) == {
        "table", "caption", "thead", "tbody", "tr", "th", "td", "i",
    }  # fmt: skip
    assert page.count("<i>") == 2, "the two marks of cells without a value, and nothing else"


def test_html_of_a_large_set_says_that_it_shows_a_part() -> None:
    s = ProfileSet(np.ones((30, 20)), [f"t{k}" for k in range(20)], [str(k) for k in range(30)])
    assert "first 10 profiles and 12 targets shown" in s._repr_html_()
    assert "all shown" in small()._repr_html_()


def test_an_empty_set_is_a_set() -> None:
    s = ProfileSet(np.empty((0, 2)), ["A", "B"], [])
    assert len(s) == 0
    assert "0 profiles x 2 targets" in repr(s)
    assert len(s.digest) == 64


# -- status and history ------------------------------------------------------------------------


@pytest.mark.parametrize("status", list(Status))
def test_status_labels_read_back(status: Status) -> None:
    assert Status.from_label(status.label) is status


def test_an_unknown_status_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'below_lod'"):
        Status.from_label("below_lodd")


def test_steps_hold_data_that_can_be_written_down() -> None:
    step = Step.make("read", {"b": 1, "a": ["ä"]})
    assert step.detail_json == '{"a":["ä"],"b":1}'
    assert Step("read", '{ "b": 1, "a": ["ä"] }') == step
    step.detail["a"].append("x")
    assert step.detail == {"a": ["ä"], "b": 1}
    assert str(step) == "read(a=['ä'], b=1)"


@pytest.mark.parametrize("detail", ["[1]", "{", "NaN", '{"a": NaN}'])
def test_steps_refuse_anything_else(detail: str) -> None:
    with pytest.raises(InputError):
        Step("read", detail)
    with pytest.raises(InputError, match="not data that can be written down"):
        Step.make("read", {"x": float("inf")})


def test_targets_may_be_given_as_targets() -> None:
    s = ProfileSet([[1.0, 2.0]], [Target("A", "main"), "B"], ["1"])
    assert [t.role for t in s.targets] == ["main", "impurity"]
    changed = s.with_roles({"A": "impurity"})
    assert [t.role for t in changed.targets] == ["impurity", "impurity"]
    assert [t.role for t in s.targets] == ["main", "impurity"]


def rebuilt(profiles: ProfileSet) -> ProfileSet:
    """Return the same set through the constructor that checks everything."""
    return ProfileSet(
        profiles.values,
        profiles.targets,
        profiles.profiles,
        status=profiles.status,
        limits=profiles.limits,
        uncertainty=profiles.uncertainty,
        history=profiles.history,
        name=profiles.name,
    )


@given(st.data())
def test_a_part_is_what_the_constructor_makes_of_it(data) -> None:
    n, p = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    cells = st.sampled_from([0.0, 1.5, 2.0, np.nan])
    values = data.draw(st.lists(st.lists(cells, min_size=p, max_size=p), min_size=n, max_size=n))
    texts = st.lists(st.sampled_from(["x", "y", "", None]), min_size=n, max_size=n)
    whole = ProfileSet(
        values,
        [f"T{k}" for k in range(p)],
        {"profile_id": [f"P{k}" for k in range(n)], "batch_id": data.draw(texts)},
        uncertainty=np.full((n, p), 0.5),
    )
    rows = data.draw(st.lists(st.integers(0, n - 1), unique=True))
    names = data.draw(st.lists(st.sampled_from(whole.target_names), unique=True, min_size=1))
    parts = [
        whole.select(np.array(rows, dtype=np.intp)),
        whole.select([whole.ids[k] for k in rows]),
        whole.without([whole.ids[k] for k in rows], why="no reason"),
        whole.keep_targets(names),
        whole.with_roles({names[0]: "main"}),
        whole.with_column("place", data.draw(texts)),
    ]
    for part in parts:
        again = rebuilt(part)
        assert part == again
        assert part.history == again.history
        assert part.name == again.name
        pd.testing.assert_frame_equal(part.profiles, again.profiles)
        for array in ARRAYS:
            one, other = getattr(part, array), getattr(again, array)
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
            assert one.flags.c_contiguous
        assert not writable(part)
        assert not writable(pickle.loads(pickle.dumps(part)))  # noqa: S301


def test_one_profile_by_its_id_is_a_set_of_one() -> None:
    one = small()["002"]
    assert one == small().select(["002"])
    assert len(one) == 1
    assert "002" in one
    assert "001" not in one
    assert 2 not in one


@pytest.mark.parametrize("asked", [0, slice(1), ["001"], np.array([0])])
def test_rows_and_lists_go_to_select(asked) -> None:
    with pytest.raises(InputError, match=re.escape("profiles.select(")):
        small()[asked]


def test_an_unknown_profile_is_a_key_error_whose_words_stand_as_they_are() -> None:
    with pytest.raises(KeyError) as caught:
        small()["003"]
    assert isinstance(caught.value, UnknownNameError)
    assert str(caught.value) == "unknown profile '003'. Did you mean '002'? Known: '001', '002'."
    assert caught.value.known == ("001", "002")


def test_a_profile_set_is_not_gone_through_by_its_rows() -> None:
    with pytest.raises(TypeError):
        iter(small())  # type: ignore[call-overload]


def test_a_new_column_must_not_have_the_name_of_a_target() -> None:
    with pytest.raises(InputError, match="name of a target and of a metadata column"):
        small().with_column("A", ["x", "y"])

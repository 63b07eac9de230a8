"""Protocol files: what is refused, in which words, and by reader and schema alike."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drugsig.errors import InputError, ReadError, UnknownNameError
from drugsig.protocols import (
    Protocol,
    Retention,
    check_protocol,
    list_protocols,
    load_protocol,
    protocol_schema,
)

VALIDATOR = jsonschema.Draft202012Validator(protocol_schema())


def small() -> dict[str, Any]:
    """Return the data of a small protocol that can be used."""
    said = {"source": "lab", "verified": True}
    return {
        "drugsig": {"format": 1},
        "protocol": {
            "name": "small",
            "version": "1",
            "technique": "gc_ms",
            "drug": "x",
            "title": "A small protocol",
        },
        "sources": {"lab": {"citation": "Own measurement", "read": "whole"}},
        "method": {"column": {"value": "DB-5", **said}},
        "comparison": {
            "recipe": {"value": "sum", **said},
            "metric": {"value": "cosine", **said},
            "min_measured": {"value": 2, **said},
        },
        "quality": [
            {"what": "replicate_rsd", "limit": 10.5, "unit": "%", "action": "flag", **said}
        ],
        "targets": [
            {
                "name": "A",
                "role": "impurity",
                **said,
                "quantifier": {"mz": [124], "rule": "single", **said},
                "qualifiers": [{"mz": 82, "expected_ratio": 0.5, "tolerance": 0.2, **said}],
                "retention": {"time_s": 301.5, "time_window_s": 3, **said},
            },
            {
                "name": "B",
                "role": "impurity",
                **said,
                "quantifier": {"mz": [82, 182.5], "rule": "sum", **said},
            },
            {
                "name": "C",
                "role": "impurity",
                **said,
                "stability": {"statement": "turns into B", "action": "sum_with:B", **said},
            },
        ],
    }


def write(folder: Path, data: dict[str, Any], name: str = "small.toml") -> Path:
    place = folder / name
    place.write_text(tomli_w.dumps(data), encoding="utf-8")
    return place


def messages(folder: Path, data: dict[str, Any]) -> list[str]:
    return [str(p) for p in check_protocol(write(folder, data)).problems]


def test_a_file_of_the_laboratory_is_read(tmp_path: Path) -> None:
    place = write(tmp_path, small())
    for way in (place, str(place)):
        protocol = load_protocol(way)
        assert protocol["A"].retention == Retention("lab", True, time_s=301.5, time_window_s=3.0)
    assert protocol.compared == ("A", "B")
    assert protocol.missing_for_extraction == {
        "B": ("retention",),
        "C": ("quantifier", "retention"),
    }
    assert [t.name for t in protocol.profile_targets] == ["A", "B", "C"]
    assert protocol.unverified == ()
    assert not protocol.is_harmonised


def test_comments_key_order_and_layout_do_not_change_the_digest(tmp_path: Path) -> None:
    data = small()
    first = load_protocol(write(tmp_path, data))

    def turned(x: Any) -> Any:
        if isinstance(x, dict):
            return {key: turned(x[key]) for key in reversed(list(x))}
        return [turned(y) for y in x] if isinstance(x, list) else x

    text = "# a comment\n" + tomli_w.dumps(turned(data)).replace("mz = 82\n", "mz = 82.0\n")
    place = tmp_path / "turned.toml"
    place.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_protocol(place).digest == first.digest
    assert load_protocol(place) == first


def test_the_digest_of_a_known_protocol_stays() -> None:
    assert Protocol.from_data(small()).digest == (
        "79cc421059cebe3afaf8087d8dc2379eb8bb4a851a9d78d5a834989228bf43d9"
    )


def test_any_content_changes_the_digest() -> None:
    seen = {Protocol.from_data(small()).digest}
    changes: list[Callable[[dict[str, Any]], None]] = [
        lambda d: d["protocol"].update(version="2"),
        lambda d: d["targets"][0].update(verified=False),
        lambda d: d["targets"].reverse(),
        lambda d: d["quality"].clear(),
        lambda d: d["comparison"]["recipe"].update(value="sum | fourth_root"),
    ]
    for change in changes:
        data = small()
        change(data)
        seen.add(Protocol.from_data(data).digest)
    assert len(seen) == len(changes) + 1


def test_all_problems_come_together_each_with_its_key(tmp_path: Path) -> None:
    data = small()
    data["protocol"]["technique"] = "gcms"
    data["targets"][0]["roll"] = "impurity"
    del data["targets"][1]["verified"]
    data["targets"][2]["stability"]["action"] = "sum_with:b"
    data["comparison"]["metric"]["source"] = "lob"
    data["comparison"]["metric"]["value"] = "cosin"
    data["comparison"]["recipe"]["value"] = "sun"

    def parse(text: str) -> None:
        raise InputError(f"unknown step {text!r}")

    report = check_protocol(write(tmp_path, data), metric_minimum={"cosine": 1}, parse_recipe=parse)
    text = str(report)
    for words in (
        "protocol.technique: 'gcms' is not known here. Did you mean 'gc_ms'?",
        "targets[0].roll: unknown key. Did you mean 'role'?",
        "targets[1]: needs the key 'verified' (target 'B')",
        "targets[2].stability.action: there is no other target 'b'. Did you mean 'B'?",
        "comparison.metric.source: there is no [sources.lob]. Did you mean 'lab'?",
        "comparison.metric.value: unknown metric 'cosin'. Did you mean 'cosine'?",
        "comparison.recipe.value: unknown step 'sun'",
    ):
        assert words in text
    assert len(report.problems) == 7
    assert not report.is_usable
    with pytest.raises(ReadError, match=r"7 problem\(s\)") as caught:
        report.raise_problems()
    assert caught.value.path == tmp_path / "small.toml"


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change that puts the last item at the place that the others name."""
    *keys, last, value = path

    def change(data: dict[str, Any]) -> None:
        place: Any = data
        for key in keys:
            place = place[key]
        place[last] = value

    return change


SAID = {"source": "lab", "verified": True}
MISUSES = [
    (put("targets", 1, "name", "A"), "'A' is the name of targets[0] already"),
    (put("targets", 0, "quantifier", "mz", [1, 2]), "is 'single' with 2 ion(s)"),
    (put("targets", 0, "qualifiers", 0, "mz", 124), "m/z 124 is an ion of this target already"),
    (put("targets", 2, "qualifiers", [{"mz": 5, **SAID}]), "confirm a quantifier"),
    (put("targets", 2, "stability", "action", "sum_with:C"), "there is no other target 'C'"),
    (put("targets", 2, "stability", "action", "ignore"), "'ignore' is not known here"),
    (put("targets", 1, "role", "main"), "'B' has another role"),
    (put("targets", 1, "stability", {"statement": "s", "action": "exclude", **SAID}),
     "'B' is itself summed or excluded"),
    (put("comparison", "min_measured", "value", 3), "only 2 are compared"),
    (put("comparison", "min_measured", "value", 2.5), "must be a whole number"),
    (put("comparison", "recipe", "value", "main_compound"), "needs a target with the role 'main'"),
    (put("comparison", "recipe", "source", "x"), "there is no [sources.x]"),
    (put("sources", "more", {"citation": "c", "read": "part"}), "is cited nowhere"),
    (put("sources", "lab", "read", "nothing"), "nothing of it was read"),
    (put("protocol", "title", "The harmonised method"), "calls the protocol harmonised"),
    (put("protocol", "title", "two\nlines"), "must be one line of text"),
    (put("protocol", "name", "Small One"), "must be written like"),
    (put("method", "internal_standard", {"value": "D", **SAID}), "there is no target 'D'"),
    (put("method", "colum", {"value": "DB-5", **SAID}), "Did you mean 'column'?"),
    (put("targets", 0, "retention", {**SAID}), "needs one of the keys 'time_s', 'index'"),
    (put("targets", 0, "retention", {"time_s": 3, **SAID}), "needs the key 'time_window_s'"),
    (put("targets", 0, "retention", "time_s", -1), "must be more than 0"),
    (put("targets", 0, "quantifier", "mz", [-4]), "must be at least 1"),
    (put("targets", 0, "quantifier", "mz", ["124"]), "must be a number, got '124'"),
    (put("quality", 0, "limit", float("nan")), "must be a finite number"),
    (put("quality", 0, "limit", float("inf")), "must be a finite number"),
    (put("completeness", {"published_list": "l", "listed": 2, "named": 3, "harmonised": False,
                          **SAID}), "more than the 2 listed"),
    (put("completeness", {"published_list": "l", "listed": 9, "named": 4, "harmonised": True,
                          **SAID}), "only 3 impurities are verified"),
    (put("sources", "Lab 1", {"citation": "c", "read": "part"}), "must be written like"),
    (put("drugsig", "format", 2), "2 is not known here"),
    (put("targets", []), "must have at least 1 item(s)"),
    (put("targets", 3), "must be an array, got 3"),
    (put("targets", 0, "identifiers", {"cas": {"value": "50362", **SAID}}), "must be written like"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), MISUSES, ids=[words for _, words in MISUSES])
def test_each_misuse_is_refused_in_words(
    change: Callable[[dict[str, Any]], None], words: str, tmp_path: Path
) -> None:
    data = small()
    change(data)
    assert words in "\n".join(messages(tmp_path, data))
    with pytest.raises(InputError):
        Protocol.from_data(data)


def test_two_rules_for_one_check_are_refused(tmp_path: Path) -> None:
    data = small()
    data["quality"] *= 2
    assert "there are two rules for 'replicate_rsd'" in "\n".join(messages(tmp_path, data))


def test_an_internal_standard_that_is_said_not_to_be_there(tmp_path: Path) -> None:
    data = small()
    data["method"]["internal_standard"] = {"value": "none", **SAID}
    assert messages(tmp_path, data) == []
    data["targets"].append({"name": "D", "role": "internal_standard", **SAID})
    assert "is 'none', but target 'D'" in "\n".join(messages(tmp_path, data))
    data["method"]["internal_standard"]["value"] = ["D"]
    assert messages(tmp_path, data) == []


def test_too_few_targets_for_the_metric(tmp_path: Path) -> None:
    place = write(tmp_path, small())
    report = check_protocol(place, metric_minimum={"cosine": 5})
    assert "needs 5 targets measured in both profiles, and the protocol compares 2" in str(report)
    assert check_protocol(place, metric_minimum={"cosine": 2}).is_usable


def test_remarks_do_not_keep_a_protocol_from_use(tmp_path: Path) -> None:
    data = small()
    data["comparison"]["min_measured"]["value"] = 1
    report = check_protocol(write(tmp_path, data), metric_minimum={"cosine": 2})
    assert report.is_usable
    text = str(report)
    for words in ("fill in quantifier and retention", "not checked: ", "less than the 2"):
        assert words in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "needs the key 'targets'"),
        (b"a = ", "not valid TOML"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"a = " + b"[" * 20000, "not"),
        (b"a = " + b"9" * 5000, "not valid TOML"),
        (b"targets = 2020-01-01", "must be an array"),
    ],
    ids=["empty", "half", "binary", "deep", "long", "date"],
)
def test_files_that_are_no_protocol(content: bytes, words: str, tmp_path: Path) -> None:
    place = tmp_path / "p.toml"
    place.write_bytes(content)
    with pytest.raises(ReadError, match=words):
        load_protocol(place)


def test_a_file_that_is_not_there_or_is_huge(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"there is no protocol file.*amphetamine-eu"):
        load_protocol(tmp_path / "none.toml")
    with pytest.raises(ReadError, match=r"cannot be read|no protocol file"):
        check_protocol(tmp_path)
    place = tmp_path / "huge.toml"
    place.write_bytes(b"#" * 8_000_001)
    with pytest.raises(ReadError, match="8000001 bytes"):
        load_protocol(place)


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'amphetamine-eu'") as caught:
        load_protocol("amfetamine-eu")
    assert caught.value.known == list_protocols()


def test_retention_is_filled_in_by_the_laboratory() -> None:
    protocol = load_protocol("cocaine-unodc-ratios")
    known = {
        t.name: Retention("laboratory", True, time_s=100.0 + 10 * k, time_window_s=2.0)
        for k, t in enumerate(protocol.targets)
    }
    filled = protocol.with_retention(known, version="lab-1", citation="Mix 3, 2026-05-04")
    assert filled.missing_for_extraction == {}
    assert filled["norcocaine"].retention == known["norcocaine"]
    assert filled.digest != protocol.digest
    assert filled.source("laboratory").read == "whole"
    assert Protocol.from_data(tomllib.loads(filled.to_toml())) == filled
    assert protocol.missing_for_extraction


def test_retention_of_what_is_no_target_or_no_source() -> None:
    protocol = load_protocol("cocaine-unodc-ratios")
    given_one = {"norcocain": Retention("laboratory", True, time_s=1.0, time_window_s=1.0)}
    with pytest.raises(UnknownNameError, match="Did you mean 'norcocaine'"):
        protocol.with_retention(given_one, version="2", citation="c")
    good = {"norcocaine": Retention("laboratory", True, time_s=1.0, time_window_s=1.0)}
    with pytest.raises(InputError, match="has a source 'choice' already"):
        protocol.with_retention(good, version="2", citation="c", key="choice")
    with pytest.raises(InputError, match=r"there is no \[sources.laboratory\]"):
        protocol.with_retention(good, version="2", citation="c", key="lab")
    bad = {"norcocaine": Retention("laboratory", True, time_s=-1.0, time_window_s=1.0)}
    with pytest.raises(InputError, match="must be more than 0"):
        protocol.with_retention(bad, version="2", citation="c")


LINE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)
NUMBER = st.one_of(
    st.integers(1, 10**6), st.floats(1e-3, 1e6, allow_nan=False, allow_infinity=False)
)


@st.composite
def protocols(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the data of a protocol that can be used."""
    data = small()

    def said() -> dict[str, Any]:
        extra = {key: draw(LINE) for key in ("where", "note") if draw(st.booleans())}
        return {"source": "lab", "verified": draw(st.booleans()), **extra}

    names = draw(st.lists(LINE, min_size=2, max_size=6, unique=True))
    targets = []
    for name in names:
        target: dict[str, Any] = {"name": name, "role": "impurity", **said()}
        mz = draw(st.lists(st.integers(40, 600), max_size=3, unique=True))
        if mz:
            rule = "single" if len(mz) == 1 else "sum"
            target["quantifier"] = {"mz": mz, "rule": rule, **said()}
            if draw(st.booleans()):
                target["qualifiers"] = [{"mz": 601.5, "expected_ratio": draw(NUMBER), **said()}]
        if draw(st.booleans()):
            target["retention"] = {
                "index": draw(st.floats(1, 9e4)), "index_window": 5, **said()
            }  # fmt: skip
        targets.append(target)
    data["targets"] = targets
    data["method"] = {
        key: {"value": draw(st.one_of(LINE, NUMBER)), "unit": draw(LINE), **said()}
        for key in draw(st.sets(st.sampled_from(["oven", "column", "split", "solvent"])))
    }
    data["protocol"]["notes"] = draw(st.lists(LINE, max_size=3))
    return data


@given(protocols())
def test_any_protocol_survives_text_and_back(data: dict[str, Any]) -> None:
    protocol = Protocol.from_data(data)
    again = Protocol.from_data(tomllib.loads(protocol.to_toml()))
    assert again == protocol
    assert again.to_data() == protocol.to_data()
    assert json.loads(json.dumps(protocol.to_data())) == protocol.to_data()
    VALIDATOR.validate(protocol.to_data())


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value, tables and arrays included."""
    items: list[tuple[Any, Any]] = []
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))
    return [p for key, x in items for p in ((*path, key), *places(x, (*path, key)))]


ODD = st.sampled_from(
    ["", "\n", "x" * 3000, -1, 0, 1, 1e300, 10**40, True, [], {}, [[]], ["a", 3], {"value": 1}]
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_reader_and_schema_refuse_the_same_shapes(draw: st.DataObject) -> None:
    source = draw.draw(st.sampled_from([None, *list_protocols()]))
    data = small() if source is None else load_protocol(source).to_data()
    data = copy.deepcopy(data)
    path = draw.draw(st.sampled_from(places(data)))
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    kind = draw.draw(st.sampled_from(["put", "drop", "add"]))
    if kind == "drop":
        del place[path[-1]]
    elif kind == "put" or not isinstance(place, dict):
        place[path[-1]] = draw.draw(ODD)
    else:
        place[draw.draw(LINE)] = draw.draw(ODD)
    fits = VALIDATOR.is_valid(data)
    try:
        protocol = Protocol.from_data(data)
    except InputError as error:
        # What fits the schema can still contradict itself, and then says so differently.
        assert ("this is no protocol" in str(error)) is (not fits)  # noqa: PT017
    else:
        assert fits
        assert Protocol.from_data(protocol.to_data()) == protocol

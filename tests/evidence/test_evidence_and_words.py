"""`Evidence` and its words: what is refused, what must be said, and what must never be."""

from __future__ import annotations

import math
import pickle
import re
import tomllib
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import drugsig
from drugsig.errors import InputError, ReadError, UnknownNameError
from drugsig.evidence.bounds import Bounds
from drugsig.evidence.evidence import Evidence, bounded_evidence
from drugsig.evidence.verbal import (
    VerbalScale,
    list_verbal_scales,
    load_verbal_scale,
    verbal_statement,
)

H1 = "the two specimens come from one production batch"
H2 = "the two specimens come from different production batches"
WIDE = Bounds(-9.0, 9.0, "ELUB", 10**6, 10**9)
NARROW = Bounds(-1.5, 2.0, "ELUB", 99, 4851)
FOLDER = Path(drugsig.__file__).parent / "evidence" / "data" / "verbal_scales"
every_scale = pytest.mark.parametrize("name", list_verbal_scales())


def of(*values: float, **changes) -> Evidence:
    plain = {
        "h1": H1, "h2": H2, "source_level": "production batch", "calibrated": True, "bounds": WIDE,
    }  # fmt: skip
    return bounded_evidence(values, **{**plain, **changes})


# -- Evidence ----------


def test_values_are_bounded_and_those_before_are_kept() -> None:
    found = of(5.2, -math.inf, 0.5, bounds=NARROW)
    assert_array_equal(found.log10_lr, [2.0, -1.5, 0.5])
    assert_array_equal(found.log10_lr_calibrated, [5.2, -math.inf, 0.5])
    assert_array_equal(found.at_bound, [True, True, False])
    assert len(found) == 3


def test_raw_is_what_went_into_the_calibration() -> None:
    found = of(5.2, -1.0, bounds=NARROW, log10_lr_raw=[40.0, -7.0])
    assert_array_equal(found.log10_lr_raw, [40.0, -7.0])
    assert_array_equal(found.log10_lr_calibrated, [5.2, -1.0])
    assert_array_equal(found.at_bound, [True, False])
    assert "<td>5.2</td><td>40</td>" in found._repr_html_()


def test_what_went_into_a_calibration_may_not_be_known() -> None:
    found = of(5.2)
    assert found.log10_lr_raw is None
    assert "not known" in found._repr_html_()


def test_only_a_calibration_comes_between_raw_and_calibrated() -> None:
    with pytest.raises(InputError, match="not calibrated differ"):
        of(5.2, calibrated=False, log10_lr_raw=[40.0])


def test_without_bounds_nothing_is_changed() -> None:
    found = of(5.2, bounds=None, calibrated=False)
    assert_array_equal(found.log10_lr, found.log10_lr_raw)
    assert not found.at_bound.any()
    assert found.state == "not calibrated, not bounded"


def test_both_propositions_and_the_level_are_always_shown() -> None:
    found = of(1.0, n_searched=12_345, questioned_ids=["Q1"], reference_ids=["R7"])
    for shown in (repr(found), found._repr_html_()):
        assert H1 in shown
        assert H2 in shown
        assert "production batch" in shown
        assert "12,345" in shown
    page = found._repr_html_()
    assert "Q1 and R7" in page
    assert "not the probability of either proposition" in page


def test_long_evidence_is_shortened_and_marks_are_escaped() -> None:
    found = of(*np.zeros(25), h1="the mass is < 1 g", bounds=None)
    page = found._repr_html_()
    assert "and 5 more" in page
    assert "&lt; 1 g" in page
    assert "nothing may be said in words" in page
    assert "pair 20" in page
    assert "no pairs" in repr(of())


def test_values_at_a_bound_are_marked() -> None:
    assert "2 (at the bound)" in of(7.0, bounds=NARROW)._repr_html_()


def test_arrays_are_read_only_also_after_a_worker() -> None:
    for found in (of(1.0), pickle.loads(pickle.dumps(of(1.0)))):  # noqa: S301 - made here
        with pytest.raises(ValueError, match="read-only"):
            found.log10_lr[0] = 9.0


def test_evidence_beyond_its_bounds_cannot_be_made() -> None:
    values = np.array([3.0])
    with pytest.raises(InputError, match="beyond the bounds"):
        Evidence(values, values, values, H1, H2, "batch", calibrated=True, bounds=NARROW)
    with pytest.raises(InputError, match="of the same pairs"):
        Evidence(values, np.zeros(2), None, H1, H2, "batch", calibrated=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"h1": ""}, "h1 must not be empty"),
        ({"h2": "two\nlines"}, "h2 must be one line"),
        ({"h2": H1}, "weighs two"),
        ({"source_level": ""}, "source_level must not be empty"),
        ({"n_searched": 0}, "n_searched must be a whole number from 1"),
        ({"n_searched": True}, "n_searched"),
        ({"questioned_ids": ["a"]}, "both profiles"),
        ({"questioned_ids": ["a", "b"], "reference_ids": ["c", "d"]}, "2 profiles for 1 pairs"),
    ],
)
def test_evidence_without_its_words_is_refused(change, said) -> None:
    with pytest.raises(InputError, match=said):
        of(1.0, **change)


def test_an_undefined_lr_is_no_evidence() -> None:
    with pytest.raises(InputError, match="no evidence for either"):
        of(math.nan)


# -- scales ----------


@every_scale
def test_every_scale_names_its_source_and_whether_it_was_verified(name) -> None:
    scale = load_verbal_scale(name)
    assert scale.name == name
    assert re.search(r"\b(19|20)\d\d\b", scale.source)
    assert isinstance(scale.verified, bool)
    assert len(scale.verification) > 20
    assert scale.language == "en"


@every_scale
@given(value=st.floats(0, 12), more=st.floats(0, 12))
def test_more_extreme_lrs_never_get_weaker_words(name, value, more) -> None:
    scale = load_verbal_scale(name)
    weak, strong = sorted((value, more))
    levels = scale.levels
    assert levels.index(scale.level(weak)) <= levels.index(scale.level(strong))
    assert scale.level(-value) == scale.level(value)


@every_scale
def test_an_lr_of_one_supports_neither(name) -> None:
    said = verbal_statement(of(0.0), scale=name)
    assert H1 in said.text
    assert H2 in said.text
    assert load_verbal_scale(name).level(0.0).neutral


@pytest.mark.parametrize(
    ("name", "lr", "expression"),
    [
        ("enfsi-2015", 1.9, "no support"),
        ("enfsi-2015", 2, "weak support"),
        ("enfsi-2015", 10, "weak support"),
        ("enfsi-2015", 11, "moderate support"),
        ("enfsi-2015", 1e3, "moderately strong support"),
        ("enfsi-2015", 1e4, "strong support"),
        ("enfsi-2015", 1e6, "very strong support"),
        ("enfsi-2015", 1.1e6, "extremely strong support"),
        ("lucy-2013", 1.01, "limited support"),
        ("lucy-2013", 1e4, "strong support"),
        ("lucy-2013", 1.01e4, "very strong support"),
        ("nfc-2012", 5.9, "support neither proposition (level 0)"),
        ("nfc-2012", 6, "support to some extent (level 1)"),
        ("nfc-2012", 100, "support (level 2)"),
        ("nfc-2012", 6000, "strongly support (level 3)"),
        ("nfc-2012", 1e6, "extremely strongly support (level 4)"),
    ],
)
def test_the_steps_begin_and_end_where_they_should(name, lr, expression) -> None:
    scale = load_verbal_scale(name)
    assert scale.level(math.log10(lr)).expression == expression
    assert scale.level(-math.log10(lr)).expression == expression


def test_a_laboratory_may_bring_its_own_scale(tmp_path) -> None:
    text = (FOLDER / "lucy-2013.toml").read_text(encoding="utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace('name = "lucy-2013"', 'name = "own"'), encoding="utf-8")
    scale = load_verbal_scale(own)
    assert scale.name == "own"
    assert load_verbal_scale(str(own)) == scale
    assert verbal_statement(of(1.5), scale=scale).expression == "moderate support"


def test_an_unknown_scale_names_the_nearest(tmp_path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'enfsi-2015'"):
        load_verbal_scale("enfsi-2016")
    with pytest.raises(ReadError, match=r"nowhere\.toml"):
        load_verbal_scale(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ", encoding="utf-8")
    with pytest.raises(ReadError, match="cannot be used"):
        load_verbal_scale(broken)


def level(**entry) -> dict:
    return {"expression": "some", **entry}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"levels": None}, "at least two levels"),
        ({"levels": [level()]}, "at least two levels"),
        ({"levels": [level(up_to=2, neutral=True), level(up_to=9)]}, "unless it is the last"),
        ({"levels": [level(up_to=9, below=9, neutral=True), level()]}, "either"),
        ({"levels": [level(up_to=9), level()]}, "only neutral one"),
        ({"levels": [level(below=1, neutral=True), level()]}, "only neutral one"),
        (
            {"levels": [level(up_to=9, neutral=True), level(up_to=9), level()]},
            "must rise",
        ),
        ({"levels": [level(up_to=0.1, neutral=True), level()]}, "at least 1"),
        ({"levels": [level(up_to="ten", neutral=True), level()]}, "at least 1"),
        ({"statement": "It gives {expression} to {favoured}."}, "both propositions"),
        ({"neutral": "Neither {h1} nor {h2.__class__}."}, "both propositions"),
        ({"neutral": "Neither {h1} nor {"}, "open bracket"),
        ({"verified": "yes"}, "true or false"),
        ({"title": ""}, "title of a verbal scale must not be empty"),
        ({"colour": "red"}, "unknown: \\['colour'\\]"),
    ],
)
def test_a_scale_that_cannot_be_used_is_explained(change, said) -> None:
    data = tomllib.loads((FOLDER / "enfsi-2015.toml").read_text(encoding="utf-8"))
    with pytest.raises(InputError, match=said):
        VerbalScale.from_data({**data, **change})


def test_a_scale_that_lacks_a_part_names_it() -> None:
    data = tomllib.loads((FOLDER / "enfsi-2015.toml").read_text(encoding="utf-8"))
    del data["source"]
    with pytest.raises(InputError, match=r"missing: \['source'\]"):
        VerbalScale.from_data(data)


# -- statements ----------


def test_a_statement_favours_what_the_lr_favours() -> None:
    for sign, favoured, other in ((1, H1, H2), (-1, H2, H1)):
        said = verbal_statement(of(sign * 2.5), scale="enfsi-2015")
        assert said.text == (
            "The findings provide moderately strong support for the proposition that "
            f"{favoured}, rather than the proposition that {other}. The propositions speak of the "
            "level of the production batch."
        )
        assert said.log10_lr == sign * 2.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"calibrated": False}, "not calibrated, bounded"),
        ({"bounds": None}, "calibrated, not bounded"),
        ({"calibrated": False, "bounds": None}, "not calibrated, not bounded"),
    ],
)
def test_words_are_for_calibrated_and_bounded_lrs_only(change, said) -> None:
    with pytest.raises(InputError, match=said):
        verbal_statement(of(3.0, **change), scale="enfsi-2015")


def test_a_bare_number_gets_no_words() -> None:
    with pytest.raises(InputError, match="a bare number has no propositions"):
        verbal_statement(cast(Evidence, 3.0), scale="enfsi-2015")


def test_an_infinite_value_gets_no_words() -> None:
    with pytest.raises(InputError, match="bound it first"):
        load_verbal_scale("enfsi-2015").level(math.inf)


def test_at_the_bound_it_is_said_that_it_is_one() -> None:
    said = verbal_statement(of(5.2, bounds=NARROW), scale="lucy-2013")
    assert said.at_bound
    assert said.expression == "moderate support"
    assert "reported at its bound" in str(said)
    inside = verbal_statement(of(1.0, bounds=NARROW), scale="lucy-2013")
    assert not inside.at_bound
    assert "reported at its bound" not in str(inside)


def test_bounds_that_support_nothing_leave_nothing_to_say() -> None:
    closed = Bounds(0.0, 0.0, "ELUB", 2, 2)
    said = verbal_statement(of(4.0, bounds=closed), scale="lucy-2013")
    assert said.expression == "no support"
    assert "no LR beyond 1 is supported" in str(said)


def test_a_search_says_how_many_were_searched_and_gives_no_posterior() -> None:
    said = str(verbal_statement(of(3.0, n_searched=10_000), scale="enfsi-2015"))
    assert "searching 10,000 profiles" in said
    assert "not the probability of either proposition" in said
    assert not re.search(r"\bposterior\b|\bprobability of \d|\d ?%", said)
    assert "search" not in str(verbal_statement(of(3.0), scale="enfsi-2015"))


def test_words_of_an_unverified_scale_say_so() -> None:
    assert "not verified" in str(verbal_statement(of(3.0), scale="enfsi-2015"))
    assert "not verified" not in str(verbal_statement(of(3.0), scale="lucy-2013"))


def test_of_many_pairs_one_is_named() -> None:
    many = of(1.5, -3.5)
    assert verbal_statement(many, scale="lucy-2013", pair=1).expression == "strong support"
    wrong: Any
    for wrong in (None, 2, -1, True, "a"):
        with pytest.raises(InputError, match="pair"):
            verbal_statement(many, scale="lucy-2013", pair=wrong)

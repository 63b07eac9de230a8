from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from drugsig._words import about, count, rate, score

SHARES = st.floats(min_value=0.0, max_value=1.0)


@given(SHARES)
def test_nought_and_certainty_are_written_only_where_they_are_exact(share: float) -> None:
    text = rate(share)
    assert (text == "0 %") == (share == 0.0)
    assert (text == "100 %") == (share == 1.0)
    assert len(text) <= 8


@given(SHARES)
def test_a_written_rate_is_true_to_its_digits(share: float) -> None:
    text = rate(share)
    if text[0] not in "<>":
        assert math.isclose(float(text.removesuffix(" %")) / 100, share, abs_tol=0.0005 + 1e-12)


@given(st.floats(min_value=1e-6, max_value=1e4))
def test_a_written_score_is_true_to_five_digits(value: float) -> None:
    text = score(value)
    assert "e" not in text
    assert math.isclose(float(text), value, rel_tol=5.1e-5)


@given(st.floats(min_value=0.1, max_value=1e12))
def test_an_expected_number_is_near_and_short(value: float) -> None:
    number = float(about(value).replace(",", ""))
    assert math.isclose(number, value, rel_tol=0.05, abs_tol=0.5)


@given(st.integers(min_value=0, max_value=10**12))
def test_a_count_goes_with_its_noun(number: int) -> None:
    text = count(number, "pair")
    assert int(text.split()[0].replace(",", "")) == number
    assert text.endswith("pairs") == (number != 1)

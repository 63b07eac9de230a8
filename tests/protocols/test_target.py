"""A target has a name, a role and a unit, and nothing that cannot be written down."""

from __future__ import annotations

import pytest

from drugsig import ROLES, Target
from drugsig.errors import InputError, UnknownNameError


def test_an_impurity_given_as_an_area_by_default() -> None:
    assert Target("tropacocaine") == Target("tropacocaine", role="impurity", unit="area")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_accepted(role: str) -> None:
    assert Target("x", role).role == role


def test_an_unknown_role_names_the_nearest_and_the_target() -> None:
    with pytest.raises(
        UnknownNameError, match=r"role for target 'x'.*Did you mean 'impurity'"
    ) as e:
        Target("x", "impurty")
    assert e.value.known == ROLES
    assert e.value.name == "impurty"


@pytest.mark.parametrize(
    "bad", ["", "two\nlines", "a\x00b", "half \ud800 pair", "line\u2028separator", 5, None]
)
def test_names_and_units_that_break_a_line_are_refused(bad: object) -> None:
    with pytest.raises(InputError):
        Target(bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the unit of target 'x'"):
        Target("x", unit=bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("good", ["α-PVP", "1,4-diol (isomer 2)", "a | b", "µg/g", "=SUM(A1)"])
def test_any_one_line_text_is_a_name(good: str) -> None:
    assert Target(good).name == good

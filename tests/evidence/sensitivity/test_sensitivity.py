from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from drugsig.errors import DrugsigWarning, InputError, ModelMismatchError
from drugsig.evidence.models import fit_lr_model
from drugsig.evidence.sensitivity import (
    BACKGROUND,
    KINDS,
    REPLICATE,
    TARGET,
    UNCERTAINTY,
    Sensitivity,
    SensitivityCase,
    sensitivity,
)
from drugsig.evidence.verbal import load_verbal_scale
from tests.evidence.sensitivity.cases import background, comparison, found, item, model
from tests.evidence.validation.cases import RULE, SPEC, batches


def example(base: float, *cases: tuple[str, str, float], scaled: bool = True) -> Sensitivity:
    """Return a sensitivity with values that are given."""
    return Sensitivity(
        base=SensitivityCase("as evaluated", "as evaluated", 2 * base, base, -2.0, 2.0),
        cases=tuple(SensitivityCase(k, n, 2 * v, v, -2.0, 2.0) for k, n, v in cases),
        draws_raw=np.empty(0),
        draws=np.empty(0),
        not_varied=(),
        questioned_ids=("q",),
        reference_ids=("r",),
        h1="they share a batch",
        h2="they do not share a batch",
        source_level="production batch",
        scale=load_verbal_scale("lucy-2013") if scaled else None,
        calibrated=True,
        digest="",
    )


def test_the_base_is_what_the_model_says() -> None:
    said = model().evaluate(*comparison(), item="item")
    assert found().base.log10_lr == said.log10_lr_bounded[0]
    assert found().base.log10_lr_raw == said.log10_lr_raw[0]
    bounds = model().bounds
    assert bounds is not None
    assert (found().base.low, found().base.high) == (bounds.low, bounds.high)


def test_every_target_is_left_out_once_with_the_model_fitted_again() -> None:
    names = background().target_names
    cases = found().of(TARGET)
    assert [c.name for c in cases] == [f"without {n}" for n in names]
    assert all(not c.why_not for c in cases)
    rest = names[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        other = fit_lr_model(
            background().keep_targets(rest), RULE, SPEC, rng=np.random.default_rng(9)
        )
    sides = [side.keep_targets(rest) for side in comparison()]
    raw = other.evaluate(*sides, item="item").log10_lr_raw[0]
    assert cases[0].log10_lr_raw == pytest.approx(raw, rel=1e-12)


def test_every_replicate_is_left_out_once() -> None:
    questioned, reference = comparison()
    cases = found().of(REPLICATE)
    assert [c.name for c in cases] == [
        *(f"without {i}, questioned" for i in questioned.ids),
        *(f"without {i}, reference" for i in reference.ids),
    ]
    said = model().evaluate(questioned.without([questioned.ids[0]]), reference, item="item")
    assert cases[0].log10_lr_raw == said.log10_lr_raw[0]


def test_areas_are_redrawn_and_their_spread_is_told() -> None:
    low, middle, high = found().of(UNCERTAINTY)
    assert len(found().draws) == len(found().draws_raw) == 20
    assert low.log10_lr_raw <= middle.log10_lr_raw <= high.log10_lr_raw
    assert low.log10_lr_raw < high.log10_lr_raw
    assert not found().draws.flags.writeable


def test_other_backgrounds_are_tried() -> None:
    names = [c.name for c in found().of(BACKGROUND)]
    assert names == [
        "the same, fitted again",
        "kernel density between sources",
        "half 1 of the sources (12)",
        "half 2 of the sources (12)",
        "year 2023 only",
        "year 2024 only",
    ]
    again = found().of(BACKGROUND)[0]
    # The deal of sources moves calibration and bounds only.
    assert again.log10_lr_raw == pytest.approx(found().base.log10_lr_raw, rel=1e-12)


def test_it_is_the_same_on_every_run() -> None:
    again = found.__wrapped__()
    assert again.to_frame().equals(found().to_frame())


def test_a_background_that_is_too_small_says_so_and_stops_nothing() -> None:
    profiles = background()
    years = list(profiles.column("year"))
    few = [y if k > 9 else "lone" for k, y in enumerate(years)]
    other = profiles.with_column("year", few)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        fresh = fit_lr_model(other, RULE, SPEC, rng=np.random.default_rng(1))
    told = sensitivity(
        fresh, *comparison(), background=other, rng=np.random.default_rng(1), item="item",
        strata="year",
    )  # fmt: skip
    lone = next(c for c in told.cases if c.name == "year lone only")
    assert lone.why_not
    assert np.isnan(lone.log10_lr)
    assert any(text.startswith("No value year lone only") for text in told.statements())
    assert ("area uncertainty", "no uncertainty of the areas is known.") in told.not_varied


def test_single_replicates_are_not_left_out() -> None:
    told = sensitivity(
        model(), item("B003", slice(0, 1), "Q"), item("B003", slice(2, 3), "R"),
        background=background(), rng=np.random.default_rng(1), n_draws=20,
    )  # fmt: skip
    assert (REPLICATE, "both items have a single profile.") in told.not_varied
    assert not told.of(REPLICATE)


# -- what it says --------------------------------------------------------------------------


def test_it_says_what_moves_most_and_whether_category_or_sign_change() -> None:
    told = example(
        1.5, (TARGET, "without A", 1.4), (TARGET, "without B", -0.5), (BACKGROUND, "half", 0.2)
    )
    assert told.moves_most is not None
    assert told.moves_most.name == "without B"
    assert [c.name for c in told.sign_changes] == ["without B"]
    assert [c.name for c in told.category_changes] == ["without B", "half"]
    said = " ".join(told.statements())
    assert "What moves it most: without B" in said
    assert "supports the other proposition, or neither: without B" in said
    assert "changes with 2 of 3 changes" in said
    assert "for H2" in said
    assert told.span == (-0.5, 1.5)


def test_it_says_when_nothing_moves() -> None:
    told = example(1.5, (TARGET, "without A", 1.5))
    assert told.moves_most is None
    said = " ".join(told.statements())
    assert "No change that was looked at moves the reported value" in said
    assert "stays the same" in said
    assert not told.category_changes


def test_without_a_scale_there_are_no_categories() -> None:
    told = example(1.5, (TARGET, "without A", -1.5), scaled=False)
    assert told.category_changes == ()
    assert told.category(told.base) == ""
    assert "category" not in told.to_frame().columns


def test_both_propositions_and_the_level_are_always_said() -> None:
    for text in (repr(found()), found()._repr_html_(), " ".join(found().statements())):
        assert found().h1 in text
        assert found().h2 in text
        assert "production batch" in text


def test_the_words_make_no_claim_about_the_source_itself() -> None:
    said = " ".join(found().statements()).lower()
    assert not any(word in said for word in ("match", "posterior", "identical", "proves"))


def test_the_table_has_one_row_a_change_and_the_base_first() -> None:
    frame = found().to_frame()
    assert len(frame) == 1 + len(found().cases)
    assert frame["kind"].iloc[0] == "as evaluated"
    assert set(frame["kind"].iloc[1:]) == set(KINDS)
    assert frame["difference"].iloc[0] == 0.0
    assert frame["category"].iloc[0] == found().category(found().base)


# -- what is refused -----------------------------------------------------------------------


def test_another_background_is_refused() -> None:
    with pytest.raises(InputError, match="not the one this model was fitted to"):
        sensitivity(model(), *comparison(), background=batches(), rng=np.random.default_rng(1))


def test_several_items_on_one_side_are_refused() -> None:
    with pytest.raises(InputError, match="make 4 pairs"):
        sensitivity(model(), *comparison(), background=background(), rng=np.random.default_rng(1))


def test_words_for_a_model_that_was_not_validated_are_refused() -> None:
    bare = replace(model(), validation=None)
    with pytest.raises(InputError, match="'validated'"):
        sensitivity(
            bare, *comparison(), background=background(), rng=np.random.default_rng(1),
            item="item", scale="lucy-2013",
        )  # fmt: skip


def test_a_relative_uncertainty_of_pretreated_profiles_is_refused() -> None:
    with pytest.raises(InputError, match="as they were measured"):
        sensitivity(
            model(), *comparison(), background=background(), rng=np.random.default_rng(1),
            item="item", uncertainty_rsd=0.05,
        )  # fmt: skip


def test_profiles_of_another_kind_are_refused() -> None:
    questioned, reference = comparison()
    rest = background().target_names[1:]
    with pytest.raises(ModelMismatchError):
        sensitivity(
            model(), questioned.keep_targets(rest), reference, background=background(),
            rng=np.random.default_rng(1), item="item",
        )  # fmt: skip


@pytest.mark.parametrize(("changed", "said"), [({"rng": 1}, "default_rng"), ({"n_draws": 3}, "20")])
def test_arguments_that_mean_nothing_are_refused(changed: dict[str, object], said: str) -> None:
    arguments = {"rng": np.random.default_rng(1), "item": "item", **changed}
    with pytest.raises(InputError, match=said):
        sensitivity(model(), *comparison(), background=background(), **arguments)  # type: ignore[arg-type]

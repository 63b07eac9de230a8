from __future__ import annotations

import numpy as np
import pytest

from drugsig.acquisition import Run, read_run
from drugsig.acquisition.extraction import extract
from drugsig.acquisition.target_learning import BLEED_IONS, learn_targets
from drugsig.errors import InputError
from drugsig.profiles import ProfileSet
from drugsig.profiles.pretreatment import pretreat
from tests.acquisition.extraction.traces import gaussian_area, quiet_run

# Time, base ion, height, another ion and its share; the siloxane is the largest of all.
PEAKS = [
    (160.0, 82.0, 4e4, 96.0, 0.5),
    (220.0, 91.0, 2e4, 119.0, 0.3),
    (225.0, 57.0, 1e4, 71.0, 0.6),
    (300.0, 207.0, 9e4, 281.0, 0.5),
    (380.0, 118.0, 3e4, 82.0, 0.1),
]


def reference() -> Run:
    shapes: dict[float, list[tuple[float, float, float]]] = {}
    for time, ion, height, other, share in PEAKS:
        shapes.setdefault(ion, []).append((time, height, 5.0))
        shapes.setdefault(other, []).append((time, share * height, 5.0))
    return quiet_run(shapes)


def test_the_bleed_series_has_its_known_members() -> None:
    assert {73, 147, 207, 221, 281, 341, 342, 355, 429} <= BLEED_IONS
    assert not {82, 91, 105, 182, 303} & BLEED_IONS


def test_the_largest_peaks_become_targets_on_their_base_ions() -> None:
    targets = learn_targets(reference(), peak_width_s=5.0)
    found = [(round(t.retention_time_s), t.quantifier) for t in targets]
    # The peak at 225 s is too near to a larger one, the one at 300 s is a siloxane.
    assert found == [(160, (82.0,)), (220, (91.0,)), (380, (118.0,))]
    assert targets[0].name == f"{targets[0].retention_time_s:.1f} s m/z 82"
    ratios = [[(q.mz, round(q.ratio, 2)) for q in t.qualifiers] for t in targets]
    assert ratios == [[(96.0, 0.5)], [(119.0, 0.3)], []]


def test_the_rule_can_be_changed() -> None:
    run = reference()
    near = learn_targets(run, separation_s=4.0, peak_width_s=5.0, qualifiers=0)
    assert [t.quantifier[0] for t in near] == [82.0, 91.0, 57.0, 118.0]
    assert all(not t.qualifiers for t in near)
    bleed = learn_targets(run, count=1, excluded=(), peak_width_s=5.0)
    assert [t.quantifier[0] for t in bleed] == [207.0]
    early = learn_targets(run, between_s=(0.0, 200.0), peak_width_s=5.0)
    assert [t.quantifier[0] for t in early] == [82.0]


def test_learned_targets_are_found_again_with_their_areas() -> None:
    run = reference()
    made = extract([run], learn_targets(run, peak_width_s=5.0))
    np.testing.assert_allclose(
        made.profiles.values[0],
        [gaussian_area(h, 5.0) for t, _, h, _, _ in PEAKS if t in (160.0, 220.0, 380.0)],
        rtol=0.003,
    )


def test_a_blank_has_no_targets() -> None:
    with pytest.raises(InputError, match="blank"):
        learn_targets(quiet_run({82.0: [], 207.0: [(300.0, 1e4, 5.0)]}))
    with pytest.raises(InputError, match="50 scans"):
        learn_targets(quiet_run({82.0: []}, scans=20))


def correlation(profiles: ProfileSet) -> tuple[float, int]:
    """Return r of two profiles after sum and fourth root, and the targets measured in both."""
    both = [bool(profiles.measured[:, k].all()) for k in range(len(profiles.targets))]
    kept = profiles.keep_targets(
        [n for n, good in zip(profiles.target_names, both, strict=True) if good]
    )
    treated = pretreat(kept, "sum | fourth_root").values
    return float(np.asarray(np.corrcoef(treated))[0, 1]), sum(both)


@pytest.fixture(scope="module")
def eley(reference_data) -> tuple[Run, Run]:
    folder = reference_data / "raw" / "jcamp_dx"
    one, two = (read_run(folder / f"ELEY_{k}_SUBTRACT.JDX") for k in (1, 2))
    return one, two


@pytest.mark.reference_data
def test_replicates_agree_on_targets_learned_from_one_of_them(eley) -> None:
    targets = learn_targets(eley[0], count=20, qualifiers=0)
    r, measured = correlation(extract(eley, targets, ids=["1", "2"]).profiles)
    assert measured >= 15
    assert r >= 0.98


@pytest.mark.reference_data
def test_column_bleed_spoils_that_agreement(eley) -> None:
    """A warning: the same rule without the exclusion of siloxane ions."""
    targets = learn_targets(eley[0], count=20, qualifiers=0, excluded=())
    assert any(int(t.quantifier[0]) in BLEED_IONS for t in targets)
    r, measured = correlation(extract(eley, targets, ids=["1", "2"]).profiles)
    assert measured >= 15
    assert r < 0.95


@pytest.mark.reference_data
def test_subtracted_background_is_flagged(eley) -> None:
    targets = learn_targets(eley[0], count=20, qualifiers=0)
    tables = extract(eley, targets, ids=["1", "2"]).tables
    assert all(any("noise_hidden" in f for f in t.flags) for t in tables)

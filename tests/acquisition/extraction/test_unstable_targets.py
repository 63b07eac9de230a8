"""Unstable targets: summed or left out as the protocol says, and never read as zero."""

from __future__ import annotations

import numpy as np

from drugsig.acquisition.unstable_targets import settle_unstable
from drugsig.profiles import ProfileSet, Status
from drugsig.protocols import Protocol, load_protocol

CIS, TRANS = "cis-cinnamoylcocaine", "trans-cinnamoylcocaine"


def protocol() -> Protocol:
    return load_protocol("cocaine-minor-alkaloids")


def extracted(cis: list[float], trans: list[float], status: list[list[int]]) -> ProfileSet:
    names = [t.name for t in protocol().targets]
    values = np.ones((len(cis), len(names)))
    states = np.zeros(values.shape, dtype=int)
    for name, column in ((CIS, cis), (TRANS, trans)):
        values[:, names.index(name)] = column
        states[:, names.index(name)] = [s[name == TRANS] for s in status]
    return ProfileSet(
        values,
        names,
        [f"r{k}" for k in range(len(cis))],
        status=states,
        limits=np.full(values.shape, 0.5),
        uncertainty=np.full(values.shape, 3.0),
    )


def test_the_sum_takes_the_place_of_its_parts() -> None:
    summed = {t.name: t.stability.summed_with for t in protocol().targets if t.stability}
    (part, whole), *_ = [(a, b) for a, b in summed.items() if b is not None]
    assert {part, whole} == {CIS, TRANS}
    settled = settle_unstable(extracted([2.0], [5.0], [[0, 0]]), protocol())
    assert part not in settled.target_names
    column = settled.target_names.index(whole)
    assert settled.values[0, column] == 7.0
    assert settled.limits[0, column] == 1.0
    assert np.isclose(settled.uncertainty[0, column], np.hypot(3.0, 3.0))
    assert settled.history[-1].detail["summed"] == {part: whole}


def test_the_status_of_a_sum() -> None:
    detected, loq, lod = Status.DETECTED, Status.BELOW_LOQ, Status.BELOW_LOD
    missing, rejected = Status.NOT_MEASURED, Status.REJECTED
    nan = float("nan")
    settled = settle_unstable(
        extracted(
            [2.0, 2.0, 0.0, nan, 2.0],
            [0.0, 1.0, 0.0, 1.0, 9.0],
            [[detected, lod], [detected, loq], [lod, lod], [missing, detected],
             [detected, rejected]],
        ),
        protocol(),
    )  # fmt: skip
    (column,) = [k for k, n in enumerate(settled.target_names) if n in (CIS, TRANS)]
    assert settled.status[:, column].tolist() == [detected, detected, lod, missing, rejected]
    np.testing.assert_array_equal(settled.values[:, column], [2.0, 3.0, 0.0, nan, 11.0])


def test_a_protocol_without_such_rules_changes_nothing() -> None:
    amphetamine = load_protocol("amphetamine-eu")
    names = [t.name for t in amphetamine.targets]
    profiles = ProfileSet(np.ones((1, len(names))), names, ["r"])
    rules = [t.stability for t in amphetamine.targets if t.stability]
    settled = settle_unstable(profiles, amphetamine)
    assert (settled is profiles) == (not any(r.summed_with or r.action == "exclude" for r in rules))

"""`join_blocks`: techniques side by side, nothing guessed and nothing mixed."""

from __future__ import annotations

import numpy as np
import pytest

from drugsig import ProfileSet, Status, Target, pretreat
from drugsig.errors import InputError, MetadataError
from drugsig.profiles.blocks import blocks_of, join_blocks


def gcms() -> ProfileSet:
    return ProfileSet(
        [[2.0, 0.0, 1.0], [4.0, 3.0, 1.0]],
        ["A", "B", "C"],
        {"profile_id": ["001", "002"], "batch_id": ["x", None], "place": ["north", "south"]},
        limits=[[0.1, 0.2, 0.3]] * 2,
        uncertainty=[[0.5, 0.5, 0.5]] * 2,
    )


def irms() -> ProfileSet:
    return ProfileSet(
        [[-27.0], [-30.0]],
        [Target("A", unit="permille")],
        {"profile_id": ["002", "003"], "batch_id": ["y", "y"], "run": ["7", "8"]},
    )


def test_profiles_stand_side_by_side_and_gaps_are_not_measured() -> None:
    joined = join_blocks({"GC-MS": gcms(), "IRMS": irms()}, name="both")
    assert joined.ids == ("001", "002", "003")
    assert joined.target_names == ("GC-MS: A", "GC-MS: B", "GC-MS: C", "IRMS: A")
    assert joined.targets[3].unit == "permille"
    assert joined.name == "both"
    np.testing.assert_array_equal(
        joined.values, [[2, 0, 1, np.nan], [4, 3, 1, -27], [np.nan] * 3 + [-30]]
    )
    np.testing.assert_array_equal(joined.status[:2, :3], gcms().status)
    assert joined.status[0, 3] == joined.status[2, 0] == Status.NOT_MEASURED
    np.testing.assert_array_equal(joined.limits[:2, :3], gcms().limits)
    np.testing.assert_array_equal(joined.uncertainty[:2, :3], gcms().uncertainty)
    assert np.isnan(joined.limits[2]).all()


def test_metadata_are_those_of_all_blocks() -> None:
    joined = join_blocks({"GC-MS": gcms(), "IRMS": irms()})
    assert joined.column("batch_id") == ("x", "y", "y")
    assert joined.column("place") == ("north", "south", None)
    assert joined.column("run") == (None, "7", "8")


def test_blocks_that_contradict_each_other_are_refused() -> None:
    other = irms().with_column("place", ["west", "west"])
    with pytest.raises(MetadataError, match="'002' is 'south' in column 'place' of block 'GC-MS'"):
        join_blocks({"GC-MS": gcms(), "IRMS": other})


def test_the_pretreatment_of_every_block_is_part_of_it() -> None:
    raw = join_blocks({"GC-MS": gcms(), "IRMS": irms()})
    treated = join_blocks({"GC-MS": pretreat(gcms(), "sum"), "IRMS": irms()})
    assert raw.pretreatment != treated.pretreatment
    assert raw.digest != treated.digest
    blocks = blocks_of(treated)
    assert list(blocks) == ["GC-MS", "IRMS"]
    assert blocks["GC-MS"]["targets"] == ["GC-MS: A", "GC-MS: B", "GC-MS: C"]
    assert [s["step"] for s in blocks["GC-MS"]["pretreatment"]] == ["sum"]
    assert blocks["IRMS"]["pretreatment"] == []
    assert blocks_of(treated.select(["001"])) == blocks
    assert blocks_of(gcms()) == {}


def test_the_order_of_the_blocks_is_kept_whatever_they_are_called() -> None:
    joined = join_blocks({"z": gcms(), "a": irms()})
    assert list(blocks_of(joined)) == ["z", "a"]
    assert joined.target_names[0] == "z: A"


def test_what_is_no_set_of_blocks_is_refused() -> None:
    with pytest.raises(InputError, match="2 blocks or more, got 1: 'GC-MS'"):
        join_blocks({"GC-MS": gcms()})
    with pytest.raises(InputError, match="got 0: none"):
        join_blocks({})
    joined = join_blocks({"GC-MS": gcms(), "IRMS": irms()})
    with pytest.raises(InputError, match="block 'all' holds joined blocks already"):
        join_blocks({"all": joined, "GC-MS": gcms()})
    with pytest.raises(InputError, match="block names must not be empty"):
        join_blocks({"": gcms(), "IRMS": irms()})

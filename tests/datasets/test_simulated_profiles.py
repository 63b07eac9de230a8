"""Simulated profiles: truth, routes, replicates, disturbances, seizures."""

from __future__ import annotations

import pickle
import warnings
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drugsig
from drugsig import Status
from drugsig.datasets import SeizurePlan, SimulatedProfiles, simulate_profiles
from drugsig.errors import ChainingWarning, InputError, UnknownNameError

N_TARGETS = 6


def simulate(seed: int = 1, **arguments: Any) -> SimulatedProfiles:
    return simulate_profiles(rng=np.random.default_rng(seed), **arguments)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=8))
    pairs = draw(st.integers(0, (len(sizes) - 2) // 2))
    # Whatever sources become indistinguishable, this many specimens are left.
    spare = sum(sorted(sizes)[: len(sizes) - 2 * pairs])
    aged = draw(st.integers(0, spare))
    return {
        "seed": draw(st.integers(0, 2**32)),
        "sizes": sizes,
        "targets": N_TARGETS,
        "routes": draw(st.integers(1, 3)),
        "absent_share": 0.34,
        "below_lod": draw(st.floats(0, 0.6)),
        "replicates": {
            level: draw(st.integers(1, 2)) for level in ("unit", "preparation", "injection")
        },
        "indistinguishable": pairs,
        "aged": aged,
        "mixed": draw(st.integers(0, spare - aged)),
    }


@given(requests())
def test_what_was_asked_for_is_there(request: dict[str, Any]) -> None:
    simulated = simulate(**request)
    profiles, truth = simulated.profiles, simulated.truth
    repeats = int(np.prod(list(request["replicates"].values())))
    assert len(profiles) == sum(request["sizes"]) * repeats
    assert tuple(truth["profile_id"]) == profiles.ids
    counts = truth["source_id"].value_counts().to_dict()
    wanted = {f"B{k:03d}": n * repeats for k, n in enumerate(request["sizes"], start=1)}
    assert counts == wanted
    states = truth["state"].value_counts().to_dict()
    assert states.get("aged", 0) == request["aged"] * repeats
    assert states.get("mixed", 0) == request["mixed"] * repeats
    twins = truth[truth["state"] == "indistinguishable"]
    assert twins["source_id"].nunique() == 2 * request["indistinguishable"]
    assert set(twins["same_as"]) == set(twins["source_id"])
    mixed = truth[truth["state"] == "mixed"]
    assert (mixed["second_source_id"] != mixed["source_id"]).all()
    assert mixed["own_share"].between(0.3, 0.7).all()
    assert truth.loc[truth["state"] != "mixed", "own_share"].isna().all()
    assert truth.loc[truth["state"] == "aged", "retained"].between(0.1, 0.4).all()


@given(requests())
def test_values_status_and_limits_agree(request: dict[str, Any]) -> None:
    profiles = simulate(**request).profiles
    assert (profiles.values >= 0).all()
    assert ((profiles.values == 0) == (profiles.status == Status.BELOW_LOD)).all()
    assert ((profiles.values > 0) == profiles.detected).all()
    limit = np.unique(profiles.limits)
    assert len(limit) == 1
    found = profiles.values[:, :N_TARGETS]
    if not np.isnan(limit[0]):
        assert (found[found > 0] >= limit[0]).all()


@given(requests())
def test_a_route_lacks_its_targets_and_replicates_share_everything(
    request: dict[str, Any],
) -> None:
    simulated = simulate(**request)
    profiles, truth = simulated.profiles, simulated.truth
    routes = np.array(profiles.column("route"))
    unmixed = (truth["state"] != "mixed").to_numpy()
    for route, lacking in simulated.settings["routes"].items():
        places = [profiles.target_names.index(t) for t in lacking]
        assert (profiles.values[np.ix_((routes == route) & unmixed, places)] == 0).all()
    table = profiles.profiles.assign(source=truth["source_id"], state=truth["state"])
    same = ["seizure_id", "date", "region", "route", "source", "state"]
    assert (table.groupby("specimen_id")[same].nunique() == 1).all(axis=None)
    assert (table.groupby("seizure_id")[["date", "region"]].nunique() == 1).all(axis=None)
    assert table["date"].is_monotonic_increasing
    assert table["injection_id"].is_unique
    for level, coarser in (
        ("injection", "preparation"),
        ("preparation", "unit"),
        ("unit", "specimen"),
    ):
        finer = table.groupby(f"{coarser}_id")[f"{level}_id"].nunique()
        assert set(finer) == {request["replicates"][level]}


def test_the_same_state_gives_the_same_profiles() -> None:
    asked = {"n_sources": 6, "aged": 1, "mixed": 1}
    assert simulate(3, **asked) == simulate(3, **asked)
    assert simulate(3, **asked) != simulate(4, **asked)


def test_one_generator_gives_new_profiles_every_time() -> None:
    rng = np.random.default_rng(1)
    first = simulate_profiles(rng=rng, sizes=[3, 3])
    second = simulate_profiles(rng=rng, sizes=[3, 3])
    assert first.profiles != second.profiles


def test_ageing_and_mixing_leave_the_other_specimens_as_they_are() -> None:
    plain = simulate(sizes=[5, 4, 3, 2])
    disturbed = simulate(sizes=[5, 4, 3, 2], aged=3, mixed=2)
    clean = (disturbed.truth["state"] == "clean").to_numpy()
    assert clean.sum() == 9
    assert (plain.profiles.values[clean] == disturbed.profiles.values[clean]).all()
    assert (plain.profiles.values[~clean] != disturbed.profiles.values[~clean]).any(axis=1).all()
    assert plain.profiles.profiles.equals(disturbed.profiles.profiles)


def test_the_share_below_the_limit_is_met() -> None:
    profiles = simulate(n_sources=60, routes=3).profiles
    impurities = profiles.values[:, :20]
    assert abs((impurities == 0).sum() - int(0.17 * impurities.size)) <= 1


def test_named_routes_and_targets_are_used() -> None:
    simulated = simulate(
        sizes=[3] * 12, targets=["a", "b", "c"], routes={"route X": ["b"], "route Y": []}
    )
    assert simulated.profiles.target_names[:3] == ("a", "b", "c")
    assert simulated.settings["routes"] == {"route X": ["b"], "route Y": []}
    x = np.array(simulated.profiles.column("route")) == "route X"
    assert 0 < x.sum() < len(x)
    assert (simulated.profiles.values[x, 1] == 0).all()
    assert (simulated.profiles.values[~x, 1] > 0).any()


def test_roles_stand_for_what_was_asked_for() -> None:
    full = simulate(sizes=[2], targets=2, main_compound="cocaine", cutting_agents=["x", "y"])
    assert {t.name: t.role for t in full.profiles.targets} == {
        "T01": "impurity",
        "T02": "impurity",
        "cocaine": "main",
        "internal standard": "internal_standard",
        "x": "cutting_agent",
        "y": "cutting_agent",
        "degradation product": "degradation_product",
    }
    bare = simulate(
        sizes=[2],
        targets=2,
        main_compound=None,
        internal_standard=None,
        cutting_agents=(),
        degradation_product=None,
    )
    assert bare.profiles.target_names == ("T01", "T02")
    assert (bare.profiles.values == full.profiles.values[:, :2]).all()


def test_indistinguishable_sources_have_one_mean_profile() -> None:
    asked: dict[str, Any] = {"sizes": [4000, 4000], "within_rsd": 0.15, "below_lod": 0.0}
    apart = []
    for pairs in (0, 1):
        simulated = simulate(**asked, indistinguishable=pairs)
        logs = np.log(drugsig.pretreat(simulated.profiles, "sum").values)
        first = (simulated.truth["source_id"] == "B001").to_numpy()
        apart.append(np.abs(logs[first].mean(axis=0) - logs[~first].mean(axis=0)).max())
    # A logarithm scatters by less than 0.25 here; five standard errors of a difference of means
    # of 4000 are 5 * 0.25 * sqrt(2 / 4000).
    assert apart[1] < 0.028
    assert apart[0] > 0.5


def test_aged_specimens_lose_the_targets_that_decay() -> None:
    simulated = simulate(sizes=[40], targets=["a", "b", "c"], aged=20, aged_targets=["b"])
    aged = (simulated.truth["state"] == "aged").to_numpy()
    ratio = simulated.profiles.values[:, 1] / simulated.profiles.values[:, 0]
    # Ten standard deviations of the scatter, and 10 to 40 % left: no overlap.
    assert ratio[aged].max() < ratio[~aged].min()
    product = simulated.profiles.values[
        :, simulated.profiles.target_names.index("degradation product")
    ]
    assert product[aged].min() > product[~aged].max()


def test_a_mixture_lies_between_its_sources() -> None:
    simulated = simulate(
        sizes=[30, 30],
        mixed=4,
        within_rsd=0.0,
        below_lod=0.0,
        replicate_rsd={"unit": 0.0, "preparation": 0.0, "injection": 0.0},
        targets=5,
    )
    values = simulated.profiles.values[:, :5]
    values = values / simulated.profiles.values[:, [6]].mean()
    truth = simulated.truth
    shares = values / values.sum(axis=1, keepdims=True)
    clean = truth["state"] == "clean"
    pure = {
        s: shares[(clean & (truth["source_id"] == s)).to_numpy()].mean(axis=0)
        for s in ("B001", "B002")
    }
    low = np.minimum(pure["B001"], pure["B002"])
    high = np.maximum(pure["B001"], pure["B002"])
    mixed = shares[(truth["state"] == "mixed").to_numpy()]
    assert len(mixed) == 4
    assert (mixed > low).all()
    assert (mixed < high).all()


@pytest.mark.parametrize(("level", "rsd"), [("unit", 0.3), ("injection", 0.08)])
def test_replicates_scatter_as_told(level: str, rsd: float) -> None:
    none = {"unit": 0.0, "preparation": 0.0, "injection": 0.0}
    simulated = simulate(
        sizes=[2000],
        targets=4,
        replicates={level: 2},
        replicate_rsd={**none, level: rsd},
        below_lod=0,
    )
    ratios = drugsig.pretreat(simulated.profiles, "log10(add=1e-9)").values[:, :4] * np.log(10)
    if level == "unit":
        # Units are weighed in one by one; ratios of targets are free of that.
        ratios = ratios - ratios[:, [3]]
    difference = ratios[0::2, :3] - ratios[1::2, :3]
    sigma = np.sqrt(np.log1p(rsd**2) * (4 if level == "unit" else 2))
    # Five standard errors of a standard deviation from 2000 pairs: 5 / sqrt(4000).
    np.testing.assert_allclose(difference.std(axis=0), sigma, rtol=0.08)


def test_a_seizure_may_hold_sources_and_a_source_lie_in_seizures() -> None:
    simulated = simulate(sizes=[6] * 30)
    table = simulated.profiles.profiles.assign(source=simulated.truth["source_id"])
    assert table.groupby("seizure_id")["source"].nunique().max() > 1
    assert table.groupby("source")["seizure_id"].nunique().max() > 1


def test_a_plan_for_seizures_is_followed() -> None:
    plan = SeizurePlan(
        same_seizure=1.0, shared_seizure=0.0, first_day="2020-02-28", days=1, regions=["harbour"]
    )
    simulated = simulate(sizes=[4, 3], seizures=plan)
    table = simulated.profiles.profiles.assign(source=simulated.truth["source_id"])
    assert table.groupby("source")["seizure_id"].nunique().tolist() == [1, 1]
    assert table["seizure_id"].nunique() == 2
    assert set(table["region"]) == {"harbour"}
    assert min(date.fromisoformat(d) for d in table["date"]) >= date(2020, 2, 28)


def test_links_chain_along_a_continuum_only() -> None:
    largest = {}
    for between in ("continuum", "factor"):
        simulated = simulate(sizes=[6] * 40, between=between)
        treated = drugsig.pretreat(simulated.profiles, "sum | fourth_root")
        scores = drugsig.compare(treated, metric="pearson_distance")
        rows, columns = scores.pair_index()
        source = simulated.truth["source_id"].to_numpy(dtype=object)
        same = source[rows] == source[columns]
        # A threshold that finds nineteen of twenty pairs of one source.
        threshold = float(np.quantile(scores.condensed()[same], 0.95))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ChainingWarning)
            groups = drugsig.group(scores, threshold=threshold)
        largest[between] = groups.largest_component
        if between == "continuum":
            assert len(groups) >= 5
            assert scores.condensed().max() > 5 * threshold
    assert largest["continuum"] > 0.9 * 240
    assert largest["factor"] < 0.5 * 240


def test_the_truth_is_a_copy_and_stays_out_of_the_profiles() -> None:
    simulated = simulate(sizes=[2, 2])
    truth = simulated.truth
    truth.loc[:, "source_id"] = "changed"
    simulated.settings["targets"].clear()
    assert set(simulated.truth["source_id"]) == {"B001", "B002"}
    assert len(simulated.settings["targets"]) == 20
    assert "source_id" not in simulated.profiles.metadata_columns
    known = simulated.with_truth()
    assert known.column("source_id") == tuple(simulated.truth["source_id"])
    assert set(known.column("state")) == {"clean"}
    assert set(simulated.with_truth("second_source_id").column("second_source_id")) == {None}
    with pytest.raises(UnknownNameError, match="Did you mean 'source_id'"):
        simulated.with_truth("source")


def test_it_survives_a_worker_and_shows_itself() -> None:
    simulated = simulate(sizes=[3, 2], mixed=1)
    assert pickle.loads(pickle.dumps(simulated)) == simulated  # noqa: S301
    assert repr(simulated) == "<SimulatedProfiles: 5 profiles from 2 sources; 4 clean, 1 mixed>"
    assert "4 clean" in simulated._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n_sources": 3, "sizes": [1]}, "either n_sources"),
        ({"n_sources": 0}, "n_sources"),
        ({"targets": 0}, "targets must be a whole number from 1"),
        ({"targets": "a"}, "list of names"),
        ({"targets": ["a", "a"]}, "must be unique"),
        ({"targets": ["main compound"]}, "must be unique"),
        ({"routes": 27}, "from 1 to 26"),
        ({"routes": {}}, "at least one route"),
        ({"targets": 2, "routes": {"route A": ["T01", "T02"]}}, "lacks every target"),
        ({"replicates": {"injection": 0}}, "injection"),
        ({"replicate_rsd": {"unit": -1}}, "unit"),
        ({"sizes": [1, 1], "indistinguishable": 2}, "need 4 sources, and there are 2"),
        ({"sizes": [2, 2, 9], "indistinguishable": 1, "mixed": 1}, "at least two sources"),
        ({"sizes": [2, 2], "aged": 3, "mixed": 2}, "need 5 specimens, and 4"),
        ({"aged": -1}, "aged must be a whole number from 0"),
        ({"aged_targets": "T01"}, "aged_targets must be a list"),
        ({"cutting_agents": "caffeine"}, "cutting_agents must be a list"),
        ({"seizures": 5}, "must be a SeizurePlan"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        simulate(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"replicates": {"injections": 2}},
        {"aged_targets": ["T1"]},
        {"routes": {"route A": ["T1"]}},
        {"between": "factors"},
    ],
)
def test_unknown_names_say_what_is_near(arguments: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean"):
        simulate(**arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"same_seizure": 2}, "same_seizure"),
        ({"first_day": "1.2.2024"}, "must be a date such as"),
        ({"days": 0}, "days"),
        ({"regions": ()}, "regions"),
        ({"regions": "north"}, "regions"),
    ],
)
def test_a_wrong_plan_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        SeizurePlan(**arguments)

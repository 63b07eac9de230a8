"""The protocols that come with drugsig say what they are, and no more than was read."""

from __future__ import annotations

import importlib.util
import pickle
import re
import sys
import tomllib
from dataclasses import FrozenInstanceError
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from drugsig.comparison import METRICS
from drugsig.profiles.pretreatment import Recipe
from drugsig.protocols import (
    QUALITY_CHECKS,
    Protocol,
    check_protocol,
    format_protocol,
    list_protocols,
    load_protocol,
    protocol_schema,
    protocol_table,
)

NAMES = list_protocols()
MINIMA = {metric.name: metric.min_measured for metric in METRICS.values()}
FOLDER = resources.files("drugsig.protocols").joinpath("data")

each = pytest.mark.parametrize("name", NAMES)

# What a table must hold to be a value: those that only group others, or name a source, hold none.
GROUPS = {"drugsig", "protocol", "sources", "method", "comparison", "identifiers"}

MAKING = re.compile(
    r"reagent (?!was)|yield|reflux|catalyst|precursor|synthes|manufactur|recrystalli|distill|"
    r"reduc(?:e|tion)|leuckart|hydrogenat|amalgam|iodide|phosphorus,? red|cook",
    re.IGNORECASE,
)


def text_of(name: str) -> str:
    return FOLDER.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def data_of(name: str) -> dict[str, Any]:
    return tomllib.loads(text_of(name))


def value_tables(data: Any, key: str = "") -> list[dict[str, Any]]:
    """Return every table that states something about the measurement."""
    if isinstance(data, list):
        return [table for item in data for table in value_tables(item, key)]
    if not isinstance(data, dict) or key == "sources":
        return []
    inside = [table for k, x in data.items() for table in value_tables(x, k)]
    return inside if key in GROUPS or not key else [data, *inside]


def test_the_first_set_is_there() -> None:
    wanted = {"amphetamine-eu", "cocaine-minor-alkaloids", "cocaine-unodc-ratios"}
    assert wanted | {"methamphetamine"} <= set(NAMES)


@each
def test_it_passes_its_own_check_and_the_metrics_and_recipes_that_there_are(name: str) -> None:
    report = check_protocol(name, metric_minimum=MINIMA, parse_recipe=Recipe.parse)
    assert report.is_usable, str(report)
    protocol = load_protocol(name)
    assert protocol.name == name
    least = METRICS[protocol.metric].min_measured
    assert len(protocol.compared) >= least
    assert protocol.min_measured >= least


@each
def test_it_fits_the_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(protocol_schema())
    jsonschema.validate(data_of(name), protocol_schema())


@each
def test_every_value_has_a_source_that_exists_and_a_verified_flag(name: str) -> None:
    data = data_of(name)
    tables = value_tables(data)
    assert len(tables) > len(data["targets"])
    for table in tables:
        assert isinstance(table.get("verified"), bool), table
        assert table.get("source") in data["sources"], table


@each
def test_what_was_recalled_or_chosen_is_not_verified(name: str) -> None:
    data = data_of(name)
    read = {key: source["read"] for key, source in data["sources"].items()}
    for table in value_tables(data):
        assert table["verified"] is (read[table["source"]] != "nothing"), table


@each
def test_none_is_called_harmonised(name: str) -> None:
    protocol = load_protocol(name)
    assert not protocol.is_harmonised
    assert not re.search("harmoni[sz]ed", protocol.title + protocol.name)
    assert "harmonised: no" in format_protocol(protocol)


@each
def test_it_says_nothing_about_making_drugs(name: str) -> None:
    text = text_of(name)
    assert not MAKING.findall(text)


@each
def test_retention_and_tolerances_are_left_to_the_laboratory(name: str) -> None:
    protocol = load_protocol(name)
    for target in protocol.targets:
        assert target.retention is None
        assert "retention" in protocol.missing_for_extraction[target.name]
        assert all(q.tolerance is None for q in target.qualifiers)
    assert set(protocol.not_checked) == set(QUALITY_CHECKS) - {r.what for r in protocol.quality}


@each
def test_it_survives_a_round_trip_through_text_and_a_worker(name: str) -> None:
    protocol = load_protocol(name)
    again = Protocol.from_data(tomllib.loads(protocol.to_toml()))
    assert again == protocol
    assert again.to_toml() == protocol.to_toml()
    travelled = pickle.loads(pickle.dumps(protocol))  # noqa: S301
    assert travelled == protocol
    assert hash(travelled) == hash(protocol)


@each
def test_it_cannot_be_changed(name: str) -> None:
    protocol = load_protocol(name)
    for thing in (protocol, protocol.targets[0], protocol.method, protocol.comparison.recipe):
        with pytest.raises(FrozenInstanceError):
            thing.name = "other"  # type: ignore[union-attr,misc]
    protocol.missing_for_extraction.clear()
    protocol.to_data()["targets"].clear()
    assert protocol.missing_for_extraction
    assert protocol.to_data()["targets"]


def test_amphetamine_knows_12_of_26_names() -> None:
    protocol = load_protocol("amphetamine-eu")
    assert protocol.completeness is not None
    assert (protocol.completeness.named, protocol.completeness.listed) == (12, 26)
    assert len(protocol.compared) == 12
    assert (protocol.recipe, protocol.metric) == ("sum | fourth_root", "pearson_distance")
    assert [t.name for t in protocol.internal_standards] == ["n-tetracosane"]


def test_four_ratios_are_not_compared_by_a_correlation() -> None:
    protocol = load_protocol("cocaine-unodc-ratios")
    assert len(protocol.compared) == 4
    assert "pearson" not in protocol.metric
    assert protocol["cocaine"].role == "main"


def test_unstable_isomers_are_summed_or_flagged() -> None:
    minor = load_protocol("cocaine-minor-alkaloids")
    cis = minor["cis-cinnamoylcocaine"].stability
    assert cis is not None
    assert cis.summed_with == "trans-cinnamoylcocaine"
    assert len(minor.compared) == 10
    ratios = load_protocol("cocaine-unodc-ratios")["cis-cinnamoylcocaine"].stability
    assert ratios is not None
    assert ratios.summed_with is None


def test_every_methamphetamine_name_is_marked_as_recalled() -> None:
    protocol = load_protocol("methamphetamine")
    assert not any(target.verified for target in protocol.targets)
    assert {f"targets.{t.name}" for t in protocol.targets} <= set(protocol.unverified_in_use)


def test_the_list_shows_every_protocol() -> None:
    lines = protocol_table().splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(NAMES)
    assert "12 of 26" in protocol_table()


@each
def test_the_text_for_people_holds_everything_a_reader_must_know(name: str) -> None:
    protocol = load_protocol(name)
    text = format_protocol(protocol)
    for target in protocol.targets:
        assert f"  {target.name}, {target.role}" in text
    for path in protocol.unverified:
        assert f"  {path}" in text
    for source in protocol.sources:
        assert f"  {source.key}: " in text
    assert protocol.digest in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.fixture(scope="module")
def ions(repository_root: Path) -> ModuleType:
    place = repository_root / "scripts" / "ions_from_library.py"
    spec = importlib.util.spec_from_file_location("ions_from_library", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their own module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def repository_root() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.mark.reference_data
def test_every_ion_read_off_the_library_is_what_the_rule_gives(
    ions: ModuleType, reference_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = str(reference_data / "ei_library" / "swgdrug34.csv")
    assert ions.main(["--library", table, "check"]) == 0
    assert capsys.readouterr().out == ""
    assert ions.main(["--library", table, "show", "Tropacocaine"]) == 0
    assert "mz = [124]" in capsys.readouterr().out


@pytest.mark.reference_data
def test_an_ion_that_the_library_does_not_give_is_found(
    ions: ModuleType, reference_data: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text_of("cocaine-unodc-ratios").replace("mz = [124]", "mz = [125]"), "utf-8")
    library = ions.read_library(reference_data / "ei_library" / "swgdrug34.csv")
    found = list(ions.faults(wrong, library))
    assert any("tropacocaine: the quantifier is [125], the rule says 124" in f for f in found)


@pytest.mark.reference_data
def test_formulas_are_those_of_the_library(reference_data: Path, ions: ModuleType) -> None:
    import csv

    with (reference_data / "ei_library" / "swgdrug34.csv").open(encoding="utf-8-sig") as table:
        formulas = {row["Name"]: row["Formula"] for row in csv.DictReader(table)}
    checked = 0
    for name in NAMES:
        for target in load_protocol(name).targets:
            formula = target.identifiers.formula if target.identifiers else None
            if formula is not None:
                assert formulas[str(formula.where)] == formula.value
                checked += 1
    assert checked > 20

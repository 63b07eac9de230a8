"""Public data: taken from where they lie, downloaded once, refused if they are another file.

The network is blocked in every test (`tests.socket_guard`): a test that passes used none.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import re
import shutil
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest

from drugsig import Status, compare, pretreat
from drugsig.datasets import fetch, public_data
from drugsig.datasets.fetch import (
    fetch_glass,
    fetch_glass_two_level,
    fetch_mdma_tablets,
    fetch_methamphetamine,
    fetch_propellant,
)
from drugsig.datasets.public_data import (
    FOLDER_VARIABLE,
    NO_LICENCE,
    PublicData,
    PublicFile,
    data_folder,
    public_file,
)
from drugsig.errors import (
    CircularRuleWarning,
    DataWarning,
    MissingExtraError,
    OutputError,
    ReadError,
    UnknownNameError,
)
from drugsig.evidence import auc, get_rule, pair_sample

CONTENT = b"id,A\n1,2\n"


# -- the registry ----------------------------------------------------------------------------------

FILES = [(d, f) for d in public_data.public_data().values() for f in d.files]


@pytest.mark.parametrize(("data", "file"), FILES, ids=lambda x: x.name)
def test_the_registry_is_complete(data: PublicData, file: PublicFile) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert file.size > 0
    assert file.address.startswith("https://raw.githubusercontent.com/")
    assert " " not in file.address
    assert data.kind in ("real", "simulated")
    assert data.licence
    assert data.citation
    pinned = re.fullmatch(r"[0-9a-f]{40}", file.commit) is not None
    assert pinned or not file.verified, "what a branch holds cannot be known for good"


@pytest.mark.reference_data
@pytest.mark.parametrize(("data", "file"), FILES, ids=lambda x: x.name)
def test_the_reference_data_are_the_files_of_the_registry(
    reference_data: Path, data: PublicData, file: PublicFile
) -> None:
    content = (reference_data / data.name / file.name).read_bytes()
    assert len(content) == file.size
    assert hashlib.sha256(content).hexdigest() == file.sha256
    assert file.is_same(content)
    assert not file.is_same(content[:-1])
    if file.text:
        unified = content.replace(b"\r\n", b"\n")
        assert file.is_same(unified)
        assert file.is_same(unified.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("name", [n for n in fetch.__all__ if n.startswith("fetch_")])
def test_every_docstring_names_source_licence_and_citation(name: str) -> None:
    text = getattr(fetch, name).__doc__ or ""
    assert "Source: github.com/" in text
    assert "Licence: " in text
    assert "Cite" in text


# -- getting a file --------------------------------------------------------------------------------


def registered(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Register one small data set of our own instead of the public ones."""
    facts: dict = {
        "name": "table.csv",
        "repository": "somebody/data",
        "commit": "0" * 40,
        "path": "a folder/table.csv",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "text": True,
        "verified": True,
    }
    licence = str(changes.pop("licence", "MIT"))
    one = PublicData(
        name="small", title="Small", kind="simulated", homepage="https://example.org",
        licence=licence, citation="Nobody (2020)", files=(PublicFile(**facts | changes),),
    )  # fmt: skip
    monkeypatch.setattr(public_data, "public_data", lambda: {"small": one})


def put(folder: Path, content: bytes = CONTENT) -> Path:
    place = folder / "small" / "table.csv"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    return place


def without_pooch(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "pooch" else find(name)
    )


def with_pooch(
    monkeypatch: pytest.MonkeyPatch, *, gives: bytes = CONTENT, fails: OSError | None = None
) -> list[str]:
    """Put a downloader in place that uses no network; return the addresses it is asked for."""
    asked: list[str] = []

    class HTTPDownloader:
        def __init__(self, **options: object) -> None:
            assert options["timeout"]

        def __call__(self, url: str, output_file: str, pooch: object) -> None:
            asked.append(url)
            Path(output_file).write_bytes(gives[: len(gives) // 2] if fails else gives)
            if fails:
                raise fails

    stand_in = types.ModuleType("pooch")
    stand_in.__spec__ = importlib.machinery.ModuleSpec("pooch", None)
    stand_in.HTTPDownloader = HTTPDownloader  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pooch", stand_in)
    return asked


def test_a_file_put_there_by_hand_needs_neither_package_nor_network(monkeypatch, tmp_path) -> None:
    registered(monkeypatch)
    without_pooch(monkeypatch)
    place = put(tmp_path)
    assert public_file("small", "table.csv", folder=tmp_path) == place


def test_without_the_package_the_message_says_how_to_do_it(monkeypatch, tmp_path) -> None:
    registered(monkeypatch)
    without_pooch(monkeypatch)
    with pytest.raises(MissingExtraError) as caught:
        public_file("small", "table.csv", folder=tmp_path)
    said = str(caught.value)
    assert 'pip install "drugsig[fetch]"' in said
    address = f"https://raw.githubusercontent.com/somebody/data/{'0' * 40}/a%20folder/table.csv"
    for part in (address, "'table.csv'", str(tmp_path / "small"), "folder=", FOLDER_VARIABLE):
        assert part in said
    assert not any(tmp_path.iterdir())


def test_it_is_downloaded_once(monkeypatch, tmp_path) -> None:
    registered(monkeypatch)
    asked = with_pooch(monkeypatch)
    first = public_file("small", "table.csv", folder=tmp_path)
    assert first.read_bytes() == CONTENT
    assert public_file("small", "table.csv", folder=tmp_path) == first
    assert len(asked) == 1
    assert [p.name for p in first.parent.iterdir()] == ["table.csv"]


def test_offline_says_where_to_put_the_file(monkeypatch, tmp_path) -> None:
    registered(monkeypatch)
    with_pooch(monkeypatch, fails=OSError("name resolution failed"))
    with pytest.raises(ReadError, match="name resolution failed") as caught:
        public_file("small", "table.csv", folder=tmp_path)
    assert caught.value.path == tmp_path / "small" / "table.csv"
    said = str(caught.value)
    for part in ("https://raw.", "'table.csv'", str(tmp_path / "small"), FOLDER_VARIABLE):
        assert part in said
    assert not any((tmp_path / "small").iterdir()), "no half of a file stays"


def test_the_network_can_be_forbidden(monkeypatch, tmp_path) -> None:
    registered(monkeypatch)
    asked = with_pooch(monkeypatch)
    with pytest.raises(ReadError, match="is not on this machine"):
        public_file("small", "table.csv", folder=tmp_path, download=False)
    assert asked == []


def test_what_was_downloaded_is_checked(monkeypatch, tmp_path) -> None:
    registered(monkeypatch)
    with_pooch(monkeypatch, gives=CONTENT + b"3,4\n")
    with pytest.raises(ReadError, match=r"13 bytes with sha256 .* expected 9 bytes"):
        public_file("small", "table.csv", folder=tmp_path)
    assert not any((tmp_path / "small").iterdir())


def test_another_file_in_its_place_is_refused(monkeypatch, tmp_path) -> None:
    registered(monkeypatch)
    place = put(tmp_path, b"<!DOCTYPE html>")
    with pytest.raises(ReadError, match="seems to be a web page") as caught:
        public_file("small", "table.csv", folder=tmp_path)
    assert caught.value.path == place
    assert place.read_bytes() == b"<!DOCTYPE html>", "it is the user's to delete"


def test_line_ends_of_text_may_differ_and_those_of_other_files_not(monkeypatch, tmp_path) -> None:
    put(tmp_path, CONTENT.replace(b"\n", b"\r\n"))
    registered(monkeypatch)
    assert public_file("small", "table.csv", folder=tmp_path).is_file()
    registered(monkeypatch, text=False)
    with pytest.raises(ReadError, match="another file"):
        public_file("small", "table.csv", folder=tmp_path)


def test_no_licence_is_said_when_it_is_downloaded(monkeypatch, tmp_path) -> None:
    registered(monkeypatch, licence=NO_LICENCE)
    with_pooch(monkeypatch)
    with pytest.warns(DataWarning, match="no licence is stated .* must not be passed on"):
        place = public_file("small", "table.csv", folder=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert public_file("small", "table.csv", folder=tmp_path) == place


def test_a_data_folder_that_cannot_be_made(monkeypatch, tmp_path) -> None:
    registered(monkeypatch)
    asked = with_pooch(monkeypatch)
    (tmp_path / "small").write_bytes(b"a file where the folder should be")
    with pytest.raises(OutputError, match=FOLDER_VARIABLE):
        public_file("small", "table.csv", folder=tmp_path)
    assert asked == []


def test_names_that_are_not_known() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'mdma_tablets'"):
        public_file("mdma_tablet", "xtc_data.csv")
    with pytest.raises(UnknownNameError, match=r"'xtc_data\.csv'"):
        public_file("mdma_tablets", "xtc.csv")
    with pytest.raises(UnknownNameError, match="'ce', 'gcms', 'irms'"):
        fetch_methamphetamine(technique="nmr")


def test_the_data_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "named"))
    assert data_folder() == tmp_path / "named"
    assert data_folder(tmp_path) == tmp_path
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    for system, base in (("linux", tmp_path / "xdg"), ("win32", tmp_path / "local")):
        monkeypatch.setattr(sys, "platform", system)
        assert data_folder() == base / "drugsig" / "data"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert data_folder().parts[-4:] == ("Library", "Caches", "drugsig", "data")


# -- the data sets ---------------------------------------------------------------------------------


@pytest.fixture
def folder(reference_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the files in their places, and no package to download them with."""
    without_pooch(monkeypatch)
    for data, file in FILES:
        place = tmp_path / data.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(reference_data / data.name / file.name, place)
    return tmp_path


@pytest.mark.reference_data
def test_methamphetamine_gives_the_published_area(folder: Path) -> None:
    raw = fetch_methamphetamine(folder=folder)
    assert raw.values.shape == (434, 10)
    assert len(set(raw.column("Group"))) == 348
    treated = pretreat(raw, "drop_targets(V04) | sum | fourth_root")
    scores = compare(treated, metric="pearson_distance_percent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CircularRuleWarning)
        sample = pair_sample(scores, treated, get_rule("R4"))
    area = auc(sample.linked_scores, sample.unlinked_scores, metric=sample.metric)
    assert area == pytest.approx(0.9731269, abs=5e-8)


@pytest.mark.reference_data
@pytest.mark.parametrize(("technique", "targets", "unit"), [("irms", 3, "per mil"), ("ce", 2, "%")])
def test_other_techniques(folder: Path, technique: str, targets: int, unit: str) -> None:
    profiles = fetch_methamphetamine(technique=technique, folder=folder)
    assert profiles.values.shape == (424, targets)
    assert {t.unit for t in profiles.targets} == {unit}
    assert (profiles.values < 0).any() == (technique == "irms")


@pytest.mark.reference_data
def test_tablets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    tablets = fetch_mdma_tablets()
    assert tablets.values.shape == (494, 4)
    assert tablets.metadata_columns == ("batchnumber", "measurement", "batch_id")
    assert len(set(tablets.column("batch_id"))) == 160
    assert [(t.name, t.unit) for t in tablets.targets] == [
        ("Diameter", "mm"),
        ("Thickness", "mm"),
        ("Weight", "mg"),
        ("Purity", "%"),
    ]
    assert tablets.values[tablets.index_of(["113/2"])[0], 1] == 8.87
    assert tablets.status[tablets.index_of(["53/6"])[0], 3] == Status.BELOW_LOD
    step = tablets.history[-1]
    assert step.operation == "fetch"
    assert step.detail["licence"] == "Apache-2.0"
    assert "not that it is an impurity" in step.detail["note"]


@pytest.mark.reference_data
def test_glass(folder: Path) -> None:
    glass = fetch_glass(folder=folder)
    shapes = [s.values.shape for s in (glass.training, glass.duplo, glass.triplo)]
    assert shapes == [(1977, 10), (640, 10), (960, 10)]
    assert len(set(glass.training.column("pane_id"))) == 659
    assert set(glass.duplo.column("pane_id")) == set(glass.triplo.column("pane_id"))
    assert not set(glass.duplo.column("pane_id")) & set(glass.training.column("pane_id"))
    assert not set(glass.duplo.ids) & set(glass.triplo.ids)
    assert (glass.training.values == 0).any()
    assert glass.training.detected.all(), "a logarithm of 0 is a value as any other"
    assert {t.unit for t in glass.duplo.targets} == {"log10 ratio to Si"}


@pytest.mark.reference_data
def test_glass_two_level(folder: Path) -> None:
    glass = fetch_glass_two_level(folder=folder)
    assert glass.training.values.shape == (1974, 10)
    assert len(set(glass.training.column("Item"))) == 659
    assert glass.reference.values.shape == (3, 10)
    assert len(set(glass.traces.column("Item"))) == 10
    assert glass.training.target_names == glass.traces.target_names == glass.reference.target_names
    np.testing.assert_array_equal(glass.reference.values, glass.training.values[:3])
    assert glass.training.detected.all()


@pytest.mark.reference_data
def test_propellant(folder: Path) -> None:
    runs = fetch_propellant(folder=folder)
    assert runs.values.shape == (28, 127)
    assert len(set(runs.column("class"))) == 7
    assert {t.unit for t in runs.targets} == {"area"}


@pytest.mark.reference_data
def test_a_damaged_file_is_refused_by_name(folder: Path) -> None:
    place = folder / "mdma_tablets" / "xtc_data.csv"
    place.write_bytes(place.read_bytes().replace(b"8.87", b"3.87"))
    with pytest.raises(ReadError, match=r"xtc_data\.csv' is another file"):
        fetch_mdma_tablets(folder=folder)

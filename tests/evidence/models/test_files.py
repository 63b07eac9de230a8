from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drugsig._files import write_archive
from drugsig._notes import NOTES
from drugsig.errors import DrugsigWarning, OutputError, ReadError
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import LrModel, fit_lr_model, load_model
from drugsig.evidence.models.lr_model import _KIND
from tests.evidence.models.cases import BATCHES, FEATURE, KERNEL, SCORE, batches

SPECS = {
    "normal": FEATURE,
    "kernel": KERNEL,
    "score": SCORE,
    "bare": replace(FEATURE, calibration="none", bounds="none"),
}


@pytest.fixture(params=list(SPECS), scope="module")
def model(request: pytest.FixtureRequest) -> LrModel:
    profiles = batches(np.random.default_rng(1))
    spec = SPECS[request.param]
    fitted = fit_lr_model(profiles, BATCHES, spec, rng=np.random.default_rng(3))
    return fitted.with_validation(
        evaluate_model(profiles, BATCHES, spec, seeds=[0], n_folds=2).summary()
    )


def test_a_model_comes_back_as_it_was(model: LrModel, tmp_path: Path) -> None:
    back = load_model(model.save(tmp_path / "model.npz"))
    assert back == model
    assert back.digest == model.digest
    assert back.validation == model.validation
    assert back.spec == model.spec
    assert back.rule.to_data() == model.rule.to_data()
    case = batches(np.random.default_rng(2), n_sources=4, n_profiles=2, prefix="case")
    np.testing.assert_array_equal(
        back.evaluate(case).log10_lr_bounded, model.evaluate(case).log10_lr_bounded
    )


@pytest.fixture(scope="module")
def noted() -> LrModel:
    """Return a validated model of few sources, with notes of every stage."""
    profiles = batches(np.random.default_rng(1), n_sources=14)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        fitted = fit_lr_model(profiles, BATCHES, FEATURE, rng=np.random.default_rng(3))
        found = evaluate_model(profiles, BATCHES, FEATURE, seeds=[0], n_folds=2)
    return fitted.with_validation(found.summary())


def test_notes_come_back_in_a_process_that_only_reads(noted: LrModel, tmp_path: Path) -> None:
    path = noted.save(tmp_path / "model.npz")
    back = load_model(path)
    assert back.notes == noted.notes
    assert back.stages.notes == noted.stages.notes
    assert "few-replicated-sources" in [n.code for n in back.notes]
    assert noted.validation is not None
    codes = [n.code for n in noted.validation.notes]
    assert "few-sources-of-evaluation" in codes
    command = (
        "import sys; from drugsig.evidence.models import load_model; "
        "print(*(n.code for n in load_model(sys.argv[1]).validation.notes))"
    )
    said = subprocess.run(
        [sys.executable, "-c", command, str(path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == codes


def test_the_wording_of_notes_is_in_no_digest(
    noted: LrModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = noted.digest
    for kind in NOTES.values():
        monkeypatch.setattr(kind, "__str__", lambda self: "x")
    assert noted.notes[0].text == "x"
    assert noted.digest == before


@pytest.mark.parametrize(
    "notes",
    [
        "text",
        ["text"],
        [{"code": "no-such-note", "facts": {}}],
        [{"code": "one-series", "facts": {}}],
        [{"code": "one-series", "facts": {"allowed": True, "more": 1}}],
        [{"facts": {}}],
        [{"code": ["one-series"], "facts": {"allowed": True}}],
    ],
)
def test_notes_that_cannot_be_read_are_refused(
    noted: LrModel, tmp_path: Path, notes: object
) -> None:
    header, arrays = noted._content()
    path = tmp_path / "model.npz"
    for changed in (
        {**header, "notes": notes},
        {**header, "model_notes": notes},
        {**header, "calibration": {**header["calibration"], "notes": notes}},
        {**header, "validation": {**header["validation"], "notes": notes}},
    ):
        write_archive(path, changed, arrays, kind=_KIND, overwrite=True)
        with pytest.raises(ReadError, match="note"):
            load_model(path)


def test_the_same_model_gives_the_same_bytes(model: LrModel, tmp_path: Path) -> None:
    first = model.save(tmp_path / "one.npz")
    second = load_model(first).save(tmp_path / "two.npz")
    assert first.read_bytes() == second.read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_numpy_reads_the_arrays_without_pickles(tmp_path: Path, model: LrModel) -> None:
    path = model.save(tmp_path / "model.npz")
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("header.json"))["version"] >= 1
        names = [n for n in archive.namelist() if n.endswith(".npy")]
        for name in names:
            array = np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
            assert array.dtype.kind in "fi"
    assert bool(names) == (model.background is not None)


@pytest.fixture(scope="module")
def one() -> LrModel:
    profiles = batches(np.random.default_rng(1))
    return fit_lr_model(profiles, BATCHES, FEATURE, rng=np.random.default_rng(3))


def test_a_file_that_is_there_is_kept(one: LrModel, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(OutputError, match="overwrite=True"):
        one.save(path)
    assert path.read_text(encoding="utf-8") == "precious"
    assert load_model(one.save(path, overwrite=True)) == one
    with pytest.raises(OutputError, match=r"\.npz"):
        one.save(tmp_path / "model.txt")
    with pytest.raises(OutputError, match="cannot be written"):
        one.save(tmp_path / "no such folder" / "model.npz")


def test_a_changed_number_is_noticed(one: LrModel, tmp_path: Path) -> None:
    path = one.save(tmp_path / "model.npz")
    content = {}
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    head = json.loads(content["header.json"])
    head["content"]["bounds"]["high"] += 1.0
    changed = {
        "header.json": json.dumps(head).encode(),
        "mean.npy": content["mean.npy"][:-1] + bytes([content["mean.npy"][-1] ^ 1]),
    }
    for name, new in changed.items():
        with zipfile.ZipFile(path, "w") as archive:
            for other, old in content.items():
                archive.writestr(other, new if other == name else old)
        with pytest.raises(ReadError, match="digest"):
            load_model(path)


def test_what_is_no_model_is_refused(one: LrModel, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no file"):
        load_model(tmp_path / "absent.npz")
    path = one.save(tmp_path / "model.npz")
    whole = path.read_bytes()
    for damaged in (b"", b"not a zip", whole[: len(whole) // 2], whole[:200] + whole[260:]):
        path.write_bytes(damaged)
        with pytest.raises(ReadError):
            load_model(path)
    np.savez(path, a=np.arange(3))
    with pytest.raises(ReadError, match="cannot be read"):
        load_model(path)
    np.savez_compressed(path, a=np.zeros(10_000))
    with pytest.raises(ReadError, match="compressed"):
        load_model(path)
    np.savez(path, a=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(ReadError):
        load_model(path)


def test_another_version_is_refused(one: LrModel, tmp_path: Path) -> None:
    path = one.save(tmp_path / "model.npz")
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    head = json.loads(content["header.json"])
    head["version"] = 99
    with zipfile.ZipFile(path, "w") as archive:
        for name, old in content.items():
            archive.writestr(name, json.dumps(head).encode() if name == "header.json" else old)
    with pytest.raises(ReadError, match="version 99"):
        load_model(path)

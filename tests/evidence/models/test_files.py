from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drugsig.errors import OutputError, ReadError
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import LrModel, fit_lr_model, load_model
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

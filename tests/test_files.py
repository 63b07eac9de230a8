"""Files and folders appear whole or not at all, and one name has one writer."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

import drugsig
from drugsig._files import (
    FORMATS,
    check_format,
    new_files,
    new_folder,
    parsed_toml,
    read_archive,
    read_whole,
    refuse_inflating,
    refuse_taken,
    sha256_of,
    write_archive,
    write_file,
)
from drugsig.errors import OutputError, ReadError

ROOT = Path(__file__).parents[1]
N_WRITERS = 4
LARGE = 300_000


def whole_file(place: Path, content: bytes) -> None:
    write_file(place, content)


def whole_folder(place: Path, content: bytes) -> None:
    with new_folder(place) as draft:
        (draft / "content").write_bytes(content)


def whole_pair(place: Path, content: bytes) -> None:
    with new_files(place.with_suffix(".facts"), place) as (facts, table):
        facts.write_bytes(content)
        table.write_bytes(content)


WRITERS = {"file": whole_file, "folder": whole_folder, "pair": whole_pair}


def contents(place: Path) -> set[bytes]:
    files = [place / "content"] if place.is_dir() else [place, place.with_suffix(".facts")]
    return {file.read_bytes() for file in files if file.exists()}


# Each says that it is ready, waits for the word, and says how it went.
COMPETE = """
import sys
from pathlib import Path
from tests.test_files import LARGE, WRITERS
from drugsig.errors import OutputError
kind, place, number = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
try:
    WRITERS[kind](Path(place), number.encode() * LARGE)
except OutputError as error:
    print(error, flush=True)
else:
    print("written", flush=True)
"""


@pytest.mark.parametrize("kind", WRITERS)
def test_of_several_processes_that_write_one_name_one_wins_and_the_others_are_told(
    tmp_path: Path, kind: str
) -> None:
    place = tmp_path / "result"
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", COMPETE, kind, str(place), str(number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=ROOT,
                )
            )
            for number in range(N_WRITERS)
        ]
        told = [process.stdout.readline() for process in processes if process.stdout]
        assert told == ["ready\n"] * N_WRITERS
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        ends = [process.communicate(timeout=120)[0].strip() for process in processes]
    assert ends.count("written") == 1
    assert contents(place) == {str(ends.index("written")).encode() * LARGE}
    assert all("already there" in end or "exist" in end for end in ends if end != "written")
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]


PAUSE = """
import sys, time
from pathlib import Path
from drugsig._files import new_files, new_folder, write_file
place = Path(sys.argv[1])
def pause():
    print("half", flush=True)
    time.sleep(120)
"""
HALF_WRITTEN = {
    "file": """
        def slowly(file):
            file.write(b"half")
            file.flush()
            pause()
        write_file(place, slowly)
    """,
    "replaced file": """
        place.write_bytes(b"old")
        def slowly(file):
            file.write(b"half")
            file.flush()
            pause()
        write_file(place, slowly, overwrite=True)
    """,
    "folder": """
        with new_folder(place) as draft:
            (draft / "content").write_bytes(b"half")
            pause()
    """,
    "pair": """
        with new_files(place.with_suffix(".facts"), place) as (facts, table):
            table.write_bytes(b"half")
            pause()
    """,
}


@contextmanager
def half_way(place: Path, kind: str) -> Iterator[subprocess.Popen[str]]:
    program = PAUSE + textwrap.dedent(HALF_WRITTEN[kind])
    with subprocess.Popen(
        [sys.executable, "-c", program, str(place)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "half\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("kind", HALF_WRITTEN)
def test_a_process_that_is_killed_half_way_leaves_no_final_name(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "result"
    with half_way(place, kind) as process:
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait(timeout=60)
    assert contents(place) == ({b"old"} if kind == "replaced file" else set())
    if kind != "replaced file":
        WRITERS[kind](place, b"new")
        assert contents(place) == {b"new"}


def failing(file: IO[bytes]) -> None:
    file.write(b"half")
    raise OSError(28, "No space left on device")


def interrupted(file: IO[bytes]) -> None:
    file.write(b"half")
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("write", "error"), [(failing, OutputError), (interrupted, KeyboardInterrupt)]
)
def test_an_error_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, write: Callable[[IO[bytes]], None], error: type[BaseException]
) -> None:
    place = tmp_path / "result"
    write_file(place, b"old")
    with pytest.raises(error):
        write_file(place, write, overwrite=True)
    assert place.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_in_the_way_is_told(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a folder of that name"):
        write_file(tmp_path / "folder", b"", overwrite=overwrite)
    with pytest.raises(OutputError, match=r"cannot be written in .*nowhere"):
        write_file(tmp_path / "nowhere" / "file", b"", overwrite=overwrite)
    for taken in ("folder", "file"):
        with pytest.raises(OutputError):
            refuse_taken(tmp_path / "free", tmp_path / taken)
    with pytest.raises(OutputError, match="does not exist"):
        refuse_taken(tmp_path / "nowhere" / "file")
    refuse_taken(tmp_path / "free")


def test_of_files_that_belong_together_none_is_left_if_one_is_taken(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    def write_both() -> None:
        with new_files(first, second) as drafts:
            for draft in drafts:
                draft.write_bytes(b"new")
            second.write_bytes(b"of somebody else")

    with pytest.raises(OutputError, match="already there"):
        write_both()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"second": b"of somebody else"}


def no_link(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_file_system_without_hard_links_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_link)
    place = write_file(tmp_path / "result", b"new")
    assert place.read_bytes() == b"new"
    with pytest.raises(OutputError, match="already there"):
        write_file(place, b"newer")
    assert place.read_bytes() == b"new"
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.name == "other":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        write_file(tmp_path / "other", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    place = write_file(tmp_path / "result", "ä".encode())
    assert sha256_of(place) == sha256_of("ä") == sha256_of(place.read_bytes())


def told(header: object) -> str:
    with pytest.raises(ReadError) as caught:
        check_format(header, "drugsig fusion", refuse=lambda why: ReadError(f"this {why}"))
    return str(caught.value)


def test_another_kind_another_version_and_damage_are_told_apart() -> None:
    good: dict[str, Any] = {"format": "drugsig fusion", "version": FORMATS["drugsig fusion"]}
    check_format({**good, "more": 1}, "drugsig fusion", refuse=ReadError)
    assert "no stored fusion: it says that it is 'x'" in told({**good, "format": "x"})
    nothing: object
    for nothing in ({}, None, [], "text", {"format": None}):
        assert "no stored fusion: nothing in it says" in told(nothing)
    newer = told({**good, "version": good["version"] + 1})
    assert "version 3 cannot be read; this drugsig reads version 2. Read it with a newer" in newer
    assert "with the drugsig that wrote it" in told({**good, "version": 0})
    for broken in (None, "1", 1.0, True, [1]):
        assert "damaged fusion" in told({**good, "version": broken})


def test_an_archive_comes_back_as_it_was_written(tmp_path: Path) -> None:
    header, arrays = {"a": [1, "ä"]}, {"x": np.arange(3.0), "k": np.array([1, 2], dtype=">i4")}
    a = write_archive(tmp_path / "a.npz", header, arrays, kind="drugsig fusion", overwrite=False)
    b = write_archive(tmp_path / "b.npz", header, arrays, kind="drugsig fusion", overwrite=False)
    assert a.read_bytes() == b.read_bytes()
    read, numbers = read_archive(a, kind="drugsig fusion")
    assert read == header
    assert all(np.array_equal(numbers[name], array) for name, array in arrays.items())
    with pytest.raises(ReadError, match="is no stored calibration"):
        read_archive(a, kind="drugsig calibration")


# -- what is read ----------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such pipes here")
def test_what_is_no_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="no file but a device, a pipe or the like"):
            read_whole(name, most=1_000_000)
    with pytest.raises(IsADirectoryError):
        read_whole(tmp_path, most=1_000)
    with pytest.raises(OSError, match="no file can have this name"):
        read_whole("a\0b", most=1_000)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "ten").write_bytes(b"0123456789")
    assert read_whole(tmp_path / "ten", most=10) == b"0123456789"
    with pytest.raises(OSError, match="it has 10 bytes, and at most 9 are read"):
        read_whole(tmp_path / "ten", most=9)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"x = {'[' * 100_000}", "nested too deeply"),
        (f"x = {'9' * 5_000}", "a number in it"),
        (f"{'a.' * 100_000}b = 1", "parts between dots"),
        (f"[{'a.' * 100_000}b]", "parts between dots"),
        (f"x = {{{'a . ' * 100_000}b = 1}}", "parts between dots"),
        ("a." * 100_000, "parts between dots"),
        ("x = ", "Invalid value"),
    ],
)
def test_settings_made_to_do_harm_are_refused_at_once(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parsed_toml(text.encode())


def test_settings_may_hold_long_prose_and_long_lists() -> None:
    prose = "One sentence. Another one. " * 400
    numbers = ", ".join(f"{k}.5" for k in range(5_000))
    made = parsed_toml(f'a.b.c = "{prose}"\nd = [{numbers}]\n'.encode("utf-8-sig"))
    assert made["a"]["b"]["c"] == prose
    assert len(made["d"]) == 5_000


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_that_inflates_is_refused(compression: int, tmp_path: Path) -> None:
    head = io.BytesIO()
    shape = (10,) if compression else (10**12,)
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w", compression) as archive:
        archive.writestr("header.npy", head.getvalue() + bytes(10))
    with (
        zipfile.ZipFile(tmp_path / "a.npz") as archive,
        pytest.raises(ValueError, match="compressed" if compression else "declares 1,000,0"),
    ):
        refuse_inflating(archive, (tmp_path / "a.npz").stat().st_size)
    with pytest.raises(ReadError, match=r"damaged index"):
        drugsig.load_index(write_with_digest(tmp_path / "b.npz", compression))


def write_with_digest(place: Path, compression: int) -> Path:
    """Write an archive with the names of an index, which declares a gigabyte."""
    with zipfile.ZipFile(place, "w", compression) as archive:
        for name in ("header", "header_sha256"):
            head = io.BytesIO()
            np.lib.format.write_array_header_1_0(
                head, {"descr": "|u1", "fortran_order": False, "shape": (2**30,)}
            )
            archive.writestr(f"{name}.npy", head.getvalue() + bytes(64))
    return place

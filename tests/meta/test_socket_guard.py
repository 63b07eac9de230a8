"""The network block, tested in runs of pytest of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def run_pytest(repository: Path, folder: Path, source: str) -> tuple[int, str]:
    (folder / "test_inner.py").write_text(source, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.socket_guard", str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


ATTEMPTS = {
    "connect": "socket.socket().connect(('192.0.2.1', 9))",
    "connect_ex": "socket.socket().connect_ex(('192.0.2.1', 9))",
    "loopback": "socket.socket().connect(('127.0.0.1', 9))",
    "ipv6": "socket.socket(socket.AF_INET6).connect(('::1', 9))",
    "datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    "create_connection": "socket.create_connection(('example.invalid', 80))",
    "getaddrinfo": "socket.getaddrinfo('example.invalid', 80)",
    "gethostbyname": "socket.gethostbyname('example.invalid')",
    "urllib": "urllib.request.urlopen('http://example.invalid/')",
}


def test_every_attempt_fails_its_test_though_the_error_is_swallowed(
    repository: Path, tmp_path: Path
) -> None:
    tests = "\n".join(
        f"def test_{name}():\n    with contextlib.suppress(Exception):\n        {call}\n"
        for name, call in ATTEMPTS.items()
    )
    code, out = run_pytest(
        repository, tmp_path, f"import contextlib, socket, urllib.request\n\n{tests}"
    )
    assert code == 1
    assert f"{len(ATTEMPTS)} failed" in out
    assert "passed" not in out
    assert "the error was swallowed" in out


def test_an_attempt_that_is_not_swallowed_says_what_was_tried(
    repository: Path, tmp_path: Path
) -> None:
    code, out = run_pytest(
        repository,
        tmp_path,
        "import socket\ndef test_it():\n    socket.create_connection(('example.invalid', 80))\n",
    )
    assert code == 1
    assert "NetworkAttemptError" in out
    assert "example.invalid" in out


def test_an_attempt_in_a_fixture_or_outside_of_tests_fails_the_run(
    repository: Path, tmp_path: Path
) -> None:
    source = (
        "import contextlib, pytest, socket\n"
        "{module}\n"
        "@pytest.fixture\n"
        "def thing():\n"
        "    yield 1\n"
        "    {fixture}\n"
        "def test_it(thing):\n"
        "    assert thing\n"
    )
    attempt = "\nwith contextlib.suppress(Exception): socket.getaddrinfo('example.invalid', 80)"
    in_fixture = run_pytest(
        repository,
        tmp_path,
        source.format(module="", fixture=attempt.strip()),
    )
    in_module = run_pytest(repository, tmp_path, source.format(module=attempt, fixture=""))
    assert in_fixture[0] == 1
    assert "1 error" in in_fixture[1]
    assert in_module[0] == 1
    assert "outside of a test" in in_module[1]


@pytest.mark.parametrize(
    "body",
    [
        "import asyncio; assert asyncio.run(asyncio.sleep(0, 7)) == 7",
        "a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'; a.close(); b.close()",
        "s = socket.socket(); s.bind(('127.0.0.1', 0)); assert s.getsockname(); s.close()",
    ],
    ids=["event loop", "pair", "bind"],
)
def test_what_stays_inside_the_process_is_allowed(
    repository: Path, tmp_path: Path, body: str
) -> None:
    code, out = run_pytest(repository, tmp_path, f"import socket\ndef test_it():\n    {body}\n")
    assert code == 0, out


def test_the_guard_is_on_in_this_run() -> None:
    assert "SocketGuard" in socket.socket.connect.__qualname__

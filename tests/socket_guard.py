"""A pytest plugin: an attempt to reach the network fails the test, even one that is swallowed.

Libraries catch the errors of a failed connection and go on, so that raising is not enough: the
attempt is remembered, and the test that made it is reported as failed whatever came of it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

__all__ = ["NetworkAttemptError", "SocketGuard"]

# What a program calls to find out where to connect to, or to connect.
_MODULE_FUNCTIONS = (
    "create_connection",
    "getaddrinfo",
    "gethostbyaddr",
    "gethostbyname",
    "gethostbyname_ex",
)
_METHODS = ("connect", "connect_ex", "sendto", "sendmsg")


class NetworkAttemptError(RuntimeError):
    """A test tried to reach the network."""


class SocketGuard:
    """Blocks every way to another address, and keeps the attempts that were made."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self.outside_tests: list[str] = []
        self._undo: list[tuple[Any, str, Any]] = []
        self._pair = threading.local()

    # -- the block ---------------------------------------------------------------------------

    def install(self) -> None:
        for name in _MODULE_FUNCTIONS:
            self._put(socket, name, self._refusing(name))
        for name in _METHODS:
            if hasattr(socket.socket, name):
                self._put(socket.socket, name, self._checking(name))
        # Windows has no pairs of its own: there a pair, which event loops need to wake
        # themselves, is two sockets connected through the loopback address.
        self._put(socket, "socketpair", self._allowing(socket.socketpair))

    def uninstall(self) -> None:
        while self._undo:
            owner, name, original = self._undo.pop()
            setattr(owner, name, original)

    def _put(self, owner: Any, name: str, replacement: Any) -> None:
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, replacement)

    def _refuse(self, call: str) -> None:
        self.attempts.append(call)
        raise NetworkAttemptError(
            f"a test tried to reach the network: {call}. Tests work without it: use a file made "
            "by the test, and hand libraries what they would otherwise download."
        )

    def _refusing(self, name: str) -> Callable[..., Any]:
        def refused(*args: Any, **kwargs: Any) -> None:
            self._refuse(f"socket.{name}{args!r}")

        return refused

    def _checking(self, name: str) -> Callable[..., Any]:
        original = getattr(socket.socket, name)

        def checked(sock: socket.socket, *args: Any) -> Any:
            local = sock.family == getattr(socket, "AF_UNIX", None)
            if not local and not getattr(self._pair, "in_the_making", False):
                self._refuse(f"socket.{name}{args!r}")
            return original(sock, *args)

        return checked

    def _allowing(self, make_pair: Callable[..., Any]) -> Callable[..., Any]:
        def allowed(*args: Any, **kwargs: Any) -> Any:
            self._pair.in_the_making = True
            try:
                return make_pair(*args, **kwargs)
            finally:
                self._pair.in_the_making = False

        return allowed

    def _take(self) -> list[str]:
        taken, self.attempts = self.attempts, []
        return taken

    # -- what pytest calls -------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        self.outside_tests += self._take()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        report: Any = yield
        attempts = self._take()
        if attempts and report.outcome != "failed":
            report.outcome = "failed"
            report.longrepr = (
                "the network was tried, and the error was swallowed:\n  " + "\n  ".join(attempts)
            )
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.outside_tests += self._take()
        if self.outside_tests and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.outside_tests:
            terminalreporter.section("the network was tried outside of a test")
            for call in self.outside_tests:
                terminalreporter.write_line(call)

    def pytest_unconfigure(self) -> None:
        self.uninstall()


def pytest_configure(config: pytest.Config) -> None:
    """Register the guard once, for every test and doctest of the run."""
    if not config.pluginmanager.has_plugin("drugsig-socket-guard"):
        guard = SocketGuard()
        config.pluginmanager.register(guard, "drugsig-socket-guard")
        guard.install()

"""Count the code, and follow the main jobs through it.

    python scripts/walks.py [--trace WALK]

Prints lines of code proper (no docstrings, comments or blank lines), modules and classes; and for
each walk through the library the files it enters, the functions it meets, and how often the
reader of these functions, in the order in which they are first called, goes to another file. With
--trace the functions of one walk are listed instead. The walks are those that
docs/explanation/architecture.md names.
"""

from __future__ import annotations

import argparse
import ast
import io
import itertools
import sys
import tempfile
import threading
import tokenize
import warnings
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

import numpy as np

import drugsig
from drugsig import workflow
from drugsig.evidence.models import fit_lr_model

PACKAGE = Path(drugsig.__file__).resolve().parent
EXAMPLES = Path(__file__).resolve().parent.parent / "data" / "examples"
# What comprehensions and class bodies are called; they are no functions a reader goes to.
NOT_FUNCTIONS = ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>", "<module>")

_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def code_lines(text: str) -> int:
    """Return how many lines of a module hold code: no docstring, comment or blank line."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _LAYOUT and token.type != tokenize.ENDMARKER:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def size() -> dict[str, int]:
    """Return lines of code proper, modules and classes of the library."""
    texts = [p.read_text(encoding="utf-8") for p in sorted(PACKAGE.rglob("*.py"))]
    return {
        "lines of code proper": sum(code_lines(t) for t in texts),
        "modules": len(texts),
        "classes": sum(isinstance(n, ast.ClassDef) for t in texts for n in ast.walk(ast.parse(t))),
    }


def _analyse_table(out: Path) -> None:
    drugsig.analyse(EXAMPLES / "profiles" / "analysis.toml", out=out, progress=False)


def _analyse_runs(out: Path) -> None:
    drugsig.analyse(EXAMPLES / "casework" / "analysis.toml", out=out, progress=False)


def _validate(out: Path) -> None:
    workflow.validate_method(EXAMPLES / "validation" / "validation.toml", out=out, progress=False)


def _profiles() -> drugsig.ProfileSet:
    profiles = drugsig.read_profiles(EXAMPLES / "validation" / "profiles.csv")
    return drugsig.pretreat(profiles, "sum | fourth_root")


def _links() -> Callable[[], object]:
    profiles = _profiles()
    return lambda: drugsig.links(profiles, threshold=0.01, workers=1, progress=False)


def _evaluate() -> Callable[[], object]:
    profiles = _profiles()
    config = workflow.ValidationConfig.read(EXAMPLES / "validation" / "validation.toml")
    rule = config.analysis.rule
    assert rule is not None  # noqa: S101 - the file names one
    model = fit_lr_model(profiles, rule, config.spec, rng=np.random.default_rng(1))
    return lambda: model.evaluate(profiles)


def walks(out: Path) -> dict[str, Callable[[], object]]:
    """Return what is followed; whatever only prepares it is done by calling this."""
    return {
        "analyse (table)": lambda: _analyse_table(out / "table"),
        "analyse (runs)": lambda: _analyse_runs(out / "runs"),
        "links": _links(),
        "validate": lambda: _validate(out / "validation"),
        "evaluate": _evaluate(),
    }


def follow(walk: Callable[[], object]) -> list[tuple[str, str]]:
    """Return the file and the name of every function of the library, as each is first called."""
    met: dict[CodeType, None] = {}

    def watch(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            met.setdefault(frame.f_code)

    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        walk()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    out = []
    for code in met:
        path = Path(code.co_filename)
        if path.is_relative_to(PACKAGE) and code.co_name not in NOT_FUNCTIONS:
            out.append((path.relative_to(PACKAGE).as_posix(), code.co_qualname))
    return list(dict.fromkeys(out))


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Count the code, and follow jobs through it.")
    parser.add_argument("--trace", metavar="WALK", help="list the functions of one walk")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        every = walks(Path(folder))
        if chosen.trace is not None:
            for file, name in follow(every[chosen.trace]):
                print(f"{file}: {name}")
            return 0
        for what, number in size().items():
            print(f"{what:22}{number:8,}")
        print(f"\n{'walk':18}{'files':>8}{'functions':>11}{'changes of file':>17}")
        for name, walk in every.items():
            met = follow(walk)
            files = [file for file, _ in met]
            changes = sum(a != b for a, b in itertools.pairwise(files))
            print(f"{name:18}{len(set(files)):8}{len(met):11}{changes:17}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

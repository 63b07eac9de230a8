"""The files of the project, as the tests about the project see them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "drugsig"

# From here down (in the order of the import contract) nothing draws, stores or signs.
LOWER_ROOMS = (
    "analysis",
    "intelligence",
    "groups",
    "harmonisation",
    "evidence",
    "comparison",
    "quality",
    "acquisition",
    "profiles",
    "protocols",
    "_files",
    "_codec",
    "_check",
    "_notes",
    "_words",
    "_repr",
    "errors",
)


@dataclass(frozen=True)
class Module:
    """One module of the package."""

    name: str
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


def modules() -> list[Module]:
    """Return every module of the package, sorted by name."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path))
    return found


def rooms() -> list[str]:
    """Return the rooms that exist: the modules and packages right under the package."""
    packages = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    files = [path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")]
    return sorted(packages + files)


def exported(tree: ast.Module) -> list[str] | None:
    """Return the literal `__all__` of a module, or None where it has none."""
    for node in tree.body:
        names = []
        if isinstance(node, ast.Assign):
            names = [t.id for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        if "__all__" in names and node.value is not None:  # type: ignore[attr-defined]
            return list(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    return None


def top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those inside of `if` and `try` included."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        for field in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try)):
                waiting.extend(getattr(node, field, []))

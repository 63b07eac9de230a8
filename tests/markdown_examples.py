"""Run the Python blocks of a Markdown page, as a reader would who types them in.

``python -m tests.markdown_examples PAGE`` runs one page in the current folder.
"""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

__all__ = ["python_blocks", "run_page"]

_BLOCK = re.compile(r"^```python\n(.*?)\n```", re.DOTALL | re.MULTILINE)
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def python_blocks(text: str) -> list[str]:
    """Return the Python blocks of a page, in order."""
    return _BLOCK.findall(text)


def run_page(page: Path) -> str:
    """Run every block in one namespace; return what went wrong, or an empty text.

    A block with prompts must print what it shows. Another block must run.
    """
    names: dict[str, object] = {"__name__": "examples"}
    said: list[str] = []
    for number, block in enumerate(python_blocks(page.read_text(encoding="utf-8")), start=1):
        where = f"{page.name}, block {number}"
        if ">>> " in block:
            example = doctest.DocTestParser().get_doctest(block + "\n", names, where, None, 0)
            doctest.DocTestRunner(optionflags=_FLAGS).run(
                example, out=said.append, clear_globs=False
            )
            names = example.globs
        else:
            exec(compile(block, where, "exec"), names)  # noqa: S102 - the project's own pages
    return "".join(said)


def main() -> None:
    for name in sys.argv[1:]:
        page = Path(name)
        if not python_blocks(page.read_text(encoding="utf-8")):
            sys.exit(f"{name} has no Python block")
        wrong = run_page(page)
        if wrong:
            sys.exit(f"{name}:\n{wrong}")


if __name__ == "__main__":
    main()

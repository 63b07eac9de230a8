"""Print a command of README.md, word for word, so that CI runs what readers run.

Usage: ``python .ci/readme.py NAME`` prints the fenced block that follows the line
``<!-- NAME -->``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path("README.md")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    name = sys.argv[1]
    marked = re.search(
        rf"<!-- {re.escape(name)} -->\s*\n```\w*\n(.*?)\n```",
        README.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    if marked is None:
        sys.exit(f"{README} has no fenced block right after the line <!-- {name} -->")
    print(marked.group(1))


if __name__ == "__main__":
    main()

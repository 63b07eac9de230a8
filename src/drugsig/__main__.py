"""`python -m drugsig`: the command, where its script is not on the path."""

from __future__ import annotations

from drugsig.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()

"""Run the command as ``python -m drugsig.cli``."""

from __future__ import annotations

from drugsig.cli.running import main

__all__: list[str] = []

if __name__ == "__main__":
    main()

"""One reader a format, and the gates that all of them pass."""

from __future__ import annotations

__all__: list[str] = []

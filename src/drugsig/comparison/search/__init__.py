"""Finding the pairs that meet a threshold without scoring every pair."""

from __future__ import annotations

__all__: list[str] = []

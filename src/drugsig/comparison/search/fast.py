"""The compiled code of the extra ``fast``, where it is installed."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

__all__ = ["compiled_code"]


@cache
def compiled_code() -> Any:
    """Return the module of compiled functions, or None where numba is not installed.

    It is looked for once, and imported only by searches that are large enough to gain from it.
    """
    if importlib.util.find_spec("numba") is None:
        return None
    return importlib.import_module("drugsig.comparison.search.compiled")

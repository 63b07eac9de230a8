"""What a two-level model is on file: text and numbers for JSON, arrays for npz, both checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, is_number, same_shape, unique_text
from drugsig._files import FORMATS, check_format
from drugsig.errors import InputError
from drugsig.evidence.two_level.conventions import REPLICATE_LEVELS, TwoLevelOptions
from drugsig.evidence.two_level.sums import SourceSums

if TYPE_CHECKING:
    from drugsig.evidence.two_level.model import TwoLevelModel

__all__ = ["model_arrays", "model_fields"]

_FORMAT = "drugsig two-level model"
_KIND = "two_level_model"

_NUMBERS = ("kappa", "intensity", "n_dropped", "bandwidth")


def model_arrays(model: TwoLevelModel, /) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the data and the arrays of a model.

    Parameters
    ----------
    model : TwoLevelModel
        Any.
    """
    sums, kept = model.sums, model.sums.kept
    data = {
        "kind": _KIND,
        "version": FORMATS[_FORMAT],
        "options": model.options.to_data(),
        "features": list(model.features),
        "replicate_level": model.replicate_level,
        "sources": list(model.sources),
        **{name: getattr(model, name) for name in _NUMBERS},
    }
    arrays = {
        "mean": model.mean,
        "within": model.within,
        "between": model.between,
        "basis": model.basis,
        "ratios": model.ratios,
        "origin": sums.origin,
        "source_counts": sums.counts[kept],
        "source_means": sums.means[kept],
        "source_scatter": sums.scatter[kept],
        "source_fourth": sums.fourth[kept],
    }
    return data, arrays


def model_fields(data: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], /) -> dict[str, Any]:
    """Return the fields of a model from its data and arrays.

    Parameters
    ----------
    data : mapping
        From `model_arrays`.
    arrays : mapping
        From `model_arrays`.

    Raises
    ------
    InputError
        If something is missing, or its shape or content is not possible.
    """
    kind, version = _entry(data, "kind"), _entry(data, "version")
    header = {"format": _FORMAT if kind == _KIND else kind, "version": version}
    check_format(header, _FORMAT, refuse=lambda why: InputError(f"this {why}"))
    features = unique_text(_entry(data, "features"), what="the targets of a stored model")
    sources = unique_text(_entry(data, "sources"), what="the sources of a stored model")
    p, m = len(features), len(sources)
    r = np.asarray(_entry(arrays, "ratios")).size
    shapes: dict[str, tuple[int, ...]] = {
        "mean": (p,),
        "within": (p, p),
        "between": (p, p),
        "basis": (p, r),
        "ratios": (r,),
        "origin": (p,),
        "source_means": (m, p),
        "source_scatter": (m, p, p),
        "source_fourth": (m, p, p),
    }
    found = {
        name: same_shape(
            _entry(arrays, name), shape, what=f"{name} of a stored model", dtype=np.float64
        )
        for name, shape in shapes.items()
    }
    counts = same_shape(
        _entry(arrays, "source_counts"), (m,), what="source_counts of a stored model",
        dtype=np.int64,
    )  # fmt: skip
    numbers = {name: _entry(data, name) for name in _NUMBERS}
    options = TwoLevelOptions.from_data(_entry(data, "options"))
    _check_possible(found, counts, numbers, options)
    sums = SourceSums.restored(
        sources, counts, found.pop("source_means"), found.pop("source_scatter"),
        found.pop("source_fourth"), found.pop("origin"),
    )  # fmt: skip
    return {
        "options": options,
        "features": features,
        "replicate_level": choose(
            _entry(data, "replicate_level"), REPLICATE_LEVELS, what="replicate level"
        ),
        "sums": sums,
        **found,
        **numbers,
    }


def _entry(table: Mapping[str, Any], name: str) -> Any:
    if name not in table:
        raise InputError(f"a stored two-level model has no {name!r}: the file is not complete")
    return table[name]


def _check_possible(
    found: Mapping[str, NDArray[Any]],
    counts: NDArray[np.int64],
    numbers: Mapping[str, Any],
    options: TwoLevelOptions,
) -> None:
    """Refuse parameters that no fit gives; a likelihood ratio from them would look like one."""
    for name, array in found.items():
        if not np.isfinite(array).all():
            raise InputError(f"{name} of a stored two-level model holds values that are not finite")
    wrong = [
        name for name in ("kappa", "intensity", "n_dropped") if not _at_least_zero(numbers[name])
    ]
    width = numbers["bandwidth"]
    if (width is None) != (options.between == "normal") or not (
        width is None or (_at_least_zero(width) and width > 0)
    ):
        wrong.append("bandwidth")
    if not len(found["ratios"]) or (found["ratios"] <= 0).any():
        wrong.append("ratios")
    if len(counts) < 2 or (counts < 1).any():
        wrong.append("source_counts")
    if wrong:
        raise InputError(
            f"a stored two-level model has impossible values of {', '.join(wrong)}: the file is "
            "damaged or was changed"
        )


def _at_least_zero(value: object) -> bool:
    return is_number(value) and 0 <= value < 1e308

"""`TwoLevelModel`: the feature-based likelihood ratio of Aitken and Lucy (2004)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import (
    FrozenArrays,
    choose,
    did_you_mean,
    float_matrix,
    freeze,
    is_number,
    listed,
    same_shape,
    unique_text,
)
from drugsig._files import FORMATS, check_format
from drugsig.errors import InputError, UnknownNameError
from drugsig.evidence.two_level.conventions import REPLICATE_LEVELS, TwoLevelOptions
from drugsig.evidence.two_level.estimate import estimate
from drugsig.evidence.two_level.pair_ratios import (
    error_log_odds,
    item_log_densities,
    kernel_log_lr,
    normal_log_lr,
    with_errors,
)
from drugsig.evidence.two_level.sums import SourceSums
from drugsig.evidence.two_level.terms import TwoLevelTerms, two_level_terms

__all__ = ["Items", "TwoLevelModel"]

Floats = NDArray[np.float64]

# In standard deviations within sources: squares of larger coordinates could not be held.
_FARTHEST = 1e100
_LN_10 = math.log(10.0)
_FORMAT = "drugsig two-level model"
_KIND = "two_level_model"
_NUMBERS = ("kappa", "intensity", "n_dropped", "bandwidth")


@dataclass(frozen=True)
class Items:
    """The means and numbers of replicates of items.

    Parameters
    ----------
    means : ndarray of float64, shape (k, p)
        The means.
    counts : ndarray of int64, shape (k,)
        How many replicates each is a mean of.
    """

    means: Floats
    counts: NDArray[np.int64]

    def places(self, items: ArrayLike, /, *, what: str) -> NDArray[np.intp]:
        """Return item numbers as places, checked.

        Parameters
        ----------
        items : array_like of int, shape (n_pairs,)
            Item numbers.
        what : str
            What they are, for the message.

        Raises
        ------
        InputError
            If they are not numbers of items.
        """
        numbers = _whole_numbers(items, what=what)
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(self.counts)):
            wrong = numbers[(numbers < 0) | (numbers >= len(self.counts))][0]
            raise InputError(
                f"{what} names item {wrong}, but the items are 0 to {len(self.counts) - 1}"
            )
        return numbers


def _items_of(values: Floats, items: ArrayLike, /) -> Items:
    """Take the mean of the rows of each item.

    Parameters
    ----------
    values : ndarray of float64, shape (n, p)
        Replicates.
    items : array_like of int, shape (n,)
        The item of each, counted from 0.

    Raises
    ------
    InputError
        If an item has no row.
    """
    code = _whole_numbers(items, what="items")
    if len(code) != len(values):
        raise InputError(f"items must name one item a row: {len(values)} rows, {len(code)} items")
    if code.min() < 0:
        raise InputError(f"items are counted from 0, got {code.min()}")
    if code.max() >= len(code):
        raise InputError(
            f"items are counted from 0 without gaps: {len(code)} rows cannot hold item {code.max()}"
        )
    counts = np.bincount(code).astype(np.int64)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        raise InputError(f"item(s) {listed(empty)} have no row: number the items without gaps")
    order = np.argsort(code, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return Items(np.add.reduceat(values[order], starts, axis=0) / counts[:, None], counts)


def _whole_numbers(numbers: ArrayLike, *, what: str) -> NDArray[np.intp]:
    array = np.asarray(numbers)
    if array.ndim != 1:
        raise InputError(f"{what} must be a list of item numbers, got {array.ndim} dimension(s)")
    if array.dtype.kind not in "iu" and array.size:
        raise InputError(f"{what} must be whole numbers, got an array of {array.dtype}")
    return array.astype(np.intp)


@dataclass(frozen=True, eq=False, repr=False)
class TwoLevelModel(FrozenArrays):
    """The two-level random effects model: profiles vary within sources, and sources vary.

    Made by `fit_two_level`. The proposition of a common source is compared with that of two
    sources drawn from the background, at the replicate level at which the model was fitted:
    replicates of another level vary more or less than the model says.

    Attributes
    ----------
    options : TwoLevelOptions
        Every choice, by name.
    features : tuple of str, length p
        The targets, in the order of the columns.
    replicate_level : str
        What a replicate repeats, in the background and in whatever is compared.
    mean : ndarray of float64, shape (p,)
        Of the population.
    within, between : ndarray of float64, shape (p, p)
        Covariance within sources (U, after shrinkage) and between sources (C, as estimated).
    kappa : float
        The effective number of profiles a source.
    bandwidth : float or None
        The width h of the kernel, in units of C; None for a normal density between sources.
    intensity : float
        How far the within correlations were shrunk: 0 for not at all.
    basis : ndarray of float64, shape (p, r)
        Directions in which U is the identity and C diagonal.
    ratios : ndarray of float64, shape (r,)
        The variance between sources in these directions.
    n_dropped : int
        Directions in which sources differ no more than replicates; they bear on nothing.
    sums : SourceSums
        What the parameters were estimated from, source by source.

    Notes
    -----
    Feature-based LRs use all of the information, and so they are extreme where the model is wrong:
    calibrate and bound them on sources that were not used for fitting, and see
    `TwoLevelOptions.error_share` about mistyped values.
    """

    options: TwoLevelOptions
    features: tuple[str, ...]
    replicate_level: str
    mean: Floats
    within: Floats
    between: Floats
    kappa: float
    bandwidth: float | None
    intensity: float
    basis: Floats
    ratios: Floats
    n_dropped: int
    sums: SourceSums

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of the background."""
        return tuple(s for s, kept in zip(self.sums.sources, self.sums.kept, strict=True) if kept)

    @property
    def source_means(self) -> Floats:
        """Their means, shape (m, p)."""
        return freeze(self.sums.means[self.sums.kept])

    @property
    def source_counts(self) -> NDArray[np.int64]:
        """Their numbers of profiles, shape (m,)."""
        return freeze(self.sums.counts[self.sums.kept])

    @property
    def n_sources(self) -> int:
        """The number of sources."""
        return self.sums.totals.n_sources

    @property
    def n_linked_sources(self) -> int:
        """The number of sources with two profiles or more."""
        return self.sums.totals.n_linked

    @property
    def n_profiles(self) -> int:
        """The number of profiles in the background."""
        return self.sums.totals.n_profiles

    def log10_lr(self, values_a: ArrayLike, values_b: ArrayLike, /) -> float:
        """Return the log10 LR of two items.

        Parameters
        ----------
        values_a, values_b : array_like, shape (n_a, p) and (n_b, p)
            The replicates of each, at the replicate level of the model.

        Returns
        -------
        float
            Above zero if a common source explains the values better. Always finite, and the
            same if the items are swapped.

        Raises
        ------
        InputError
            If the values are not such tables, or some are not known.
        """
        a = self._matrix(values_a, what="values_a")
        b = self._matrix(values_b, what="values_b")
        codes = np.repeat([0, 1], [len(a), len(b)])
        both = _items_of(np.vstack([a, b]), codes)
        return float(self._log10_lr(both, np.array([0]), np.array([1]))[0])

    def log10_lr_pairs(
        self, values: ArrayLike, items: ArrayLike, first: ArrayLike, second: ArrayLike, /
    ) -> Floats:
        """Return the log10 LRs of many pairs of items at once.

        Parameters
        ----------
        values : array_like, shape (n, p)
            The replicates of all items, at the replicate level of the model.
        items : array_like of int, shape (n,)
            The item of each row, counted from 0; no number up to the highest is left out.
        first, second : array_like of int, shape (n_pairs,)
            The two items of each pair.

        Returns
        -------
        ndarray of float64, shape (n_pairs,)
            As `log10_lr` would give them one by one.

        Raises
        ------
        InputError
            If the shapes do not fit, an item has no row, or is compared with itself.
        """
        groups = _items_of(self._matrix(values, what="values"), items)
        a, b = groups.places(first, what="first"), groups.places(second, what="second")
        if a.shape != b.shape:
            raise InputError(
                f"first and second must be of one length, got {len(a)} and {len(b)} items"
            )
        same = np.flatnonzero(a == b)
        if len(same):
            raise InputError(
                f"pair {same[0]} compares item {a[same[0]]} with itself ({len(same)} such pairs): "
                "an item is no second measurement of itself. Leave these pairs out."
            )
        return self._log10_lr(groups, a, b)

    def terms(self, values_a: ArrayLike, values_b: ArrayLike, /) -> TwoLevelTerms:
        """Return every intermediate of one comparison, computed the long way.

        Parameters
        ----------
        values_a, values_b : array_like, shape (n_a, p) and (n_b, p)
            As for `log10_lr`; the first is the reference on which the second is conditioned.

        Returns
        -------
        TwoLevelTerms
            Conditional means, covariances and log densities, for checking by hand.
        """
        a = self._matrix(values_a, what="values_a")
        b = self._matrix(values_b, what="values_b")
        full = self.basis.shape[0] == self.basis.shape[1]
        return two_level_terms(
            a if full else self._whitened(a),
            b if full else self._whitened(b),
            within=self.within if full else np.eye(len(self.ratios)),
            between=self.between if full else np.diag(self.ratios),
            centres=self._centres_of_terms(full=full),
            bandwidth=self.bandwidth,
            in_targets=full,
        )

    def without(self, sources: Sequence[str], /) -> TwoLevelModel:
        """Return the model that the background without these sources gives.

        Leaving out both sources of a test pair costs no second pass over the profiles: their
        sums are subtracted. The result is what fitting the remaining profiles gives, to rounding.

        Parameters
        ----------
        sources : sequence of str
            Sources of the background.

        Returns
        -------
        TwoLevelModel
            With all parameters estimated anew.

        Raises
        ------
        UnknownNameError
            If one of them is not in the background.
        InputError
            If too few sources are left.
        """
        names = [sources] if isinstance(sources, str) else list(dict.fromkeys(sources))
        places = np.array([self._place(name) for name in names], dtype=np.intp)
        sums = self.sums.without(places)
        found = estimate(sums.totals, sums.origin, self.options, features=self.features)
        return TwoLevelModel(
            options=self.options,
            features=self.features,
            replicate_level=self.replicate_level,
            sums=sums,
            **vars(found),
        )

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what there is to store.

        Returns
        -------
        data : dict
            Text and numbers, for JSON.
        arrays : dict
            Arrays by name, for npz. None of them holds an object.
        """
        return _model_arrays(self)

    @classmethod
    def from_arrays(
        cls, data: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], /
    ) -> TwoLevelModel:
        """Return the model that `to_arrays` took apart, equal to the bit.

        Parameters
        ----------
        data : mapping
            Text and numbers.
        arrays : mapping
            Arrays by name.

        Returns
        -------
        TwoLevelModel
            With the same parameters; the background holds the sources that counted.

        Raises
        ------
        InputError
            If something is missing, or its shape or content is not possible.
        """
        return cls(**_model_fields(data, arrays))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TwoLevelModel):
            return NotImplemented
        data, arrays = self.to_arrays()
        other_data, other_arrays = other.to_arrays()
        return data == other_data and all(
            np.array_equal(array, other_arrays[name]) for name, array in arrays.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        width = "" if self.bandwidth is None else f", h = {self.bandwidth:.3g}"
        return (
            f"TwoLevelModel({self.options.between}{width}, {len(self.features)} targets in "
            f"{len(self.ratios)} directions, {self.n_profiles} profiles of {self.n_sources} "
            f"sources, replicate level {self.replicate_level})"
        )

    @cached_property
    def _centres(self) -> Floats | None:
        """The centres of the kernel in whitened coordinates; None for a normal density."""
        if self.bandwidth is None:
            return None
        return freeze(self._whitened(self.sums.means[self.sums.kept]))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self.sums.sources) if self.sums.kept[k]}

    def _place(self, name: str) -> int:
        if name not in self._places:
            known = list(self._places)
            raise UnknownNameError(
                f"source {name!r} is not in the background of this model. "
                f"{did_you_mean(str(name), known)}",
                name=str(name),
                known=known,
            )
        return self._places[name]

    def _matrix(self, values: ArrayLike, *, what: str) -> Floats:
        table = float_matrix(values, what=what)
        if table.shape[1] != len(self.features):
            raise InputError(
                f"{what} must have the {len(self.features)} targets of the model as columns, got "
                f"{table.shape[1]} columns"
            )
        if not len(table):
            raise InputError(f"{what} has no row: an item needs one replicate at least")
        return table

    def _whitened(self, values: Floats) -> Floats:
        """Return coordinates; summed in target order, whatever else is in the table."""
        out: Floats = np.einsum("ij,jk->ik", values - self.mean, self.basis)
        far = np.flatnonzero((np.abs(out) > _FARTHEST).any(axis=1))
        if len(far):
            raise InputError(
                f"item {far[0]} is more than 1e100 standard deviations from the background: are "
                "its values in the same unit, and treated in the same way?"
            )
        return out

    def _centres_of_terms(self, *, full: bool) -> Floats:
        if not full:
            return np.zeros((1, len(self.ratios))) if self._centres is None else self._centres
        return self.mean[None, :] if self.bandwidth is None else self.source_means

    def _log10_lr(self, items: Items, first: NDArray[np.intp], second: NDArray[np.intp]) -> Floats:
        coordinates, counts = self._whitened(items.means), items.counts
        share, centres = self.options.error_share, self._centres
        ratios = self.ratios if self.bandwidth is None else self.bandwidth**2 * self.ratios
        if centres is None and share == 0.0:
            return normal_log_lr(coordinates, counts, first, second, ratios) / _LN_10
        densities = item_log_densities(coordinates, counts, ratios, centres)
        if centres is None:
            log_lr = normal_log_lr(coordinates, counts, first, second, ratios)
        else:
            log_lr = kernel_log_lr(coordinates, counts, first, second, ratios, centres, densities)
        if share > 0.0:
            odds = error_log_odds(coordinates, densities, self.ratios + 1.0, share)
            log_lr = with_errors(log_lr, odds, first, second)
        return log_lr / _LN_10


def _model_arrays(model: TwoLevelModel, /) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
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


def _model_fields(data: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], /) -> dict[str, Any]:
    """Return the fields of a model from its data and arrays.

    Parameters
    ----------
    data : mapping
        From `_model_arrays`.
    arrays : mapping
        From `_model_arrays`.

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

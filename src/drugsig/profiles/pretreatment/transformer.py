"""A recipe as a scikit-learn transformer, for pipelines and cross-validation."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from drugsig._notes import emit
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment.apply import apply_recipe
from drugsig.profiles.pretreatment.block import Block
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.status import Status
from drugsig.protocols.target import Target

__all__ = ["RecipeTransformer"]


class RecipeTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Apply a recipe to bare arrays in which every column is an impurity.

    A thin shell: `drugsig.pretreat` does the same for profiles and knows status, limits and
    roles. Here a zero counts as not detected.

    Parameters
    ----------
    recipe : str
        Steps that need no names or roles of targets and keep the number of columns.

    Attributes
    ----------
    recipe_ : Recipe
        The frozen recipe.
    n_features_in_ : int
        The number of columns.

    Examples
    --------
    >>> RecipeTransformer("sum | square_root").fit_transform([[1.0, 3.0], [1.0, 0.0]])
    array([[0.5      , 0.8660254],
           [1.       , 0.       ]])
    """

    def __init__(self, recipe: str = "sum | fourth_root") -> None:
        self.recipe = recipe

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: N803
        """Learn what the steps need from data.

        Parameters
        ----------
        X : array_like of float, shape (n_profiles, n_targets)
            Not negative.
        y : object
            Not used.

        Raises
        ------
        RecipeError
            If a step needs names or roles, changes the columns, or cannot be applied.
        """
        values = validate_data(
            self, X, dtype=np.float64, ensure_min_samples=2, ensure_min_features=2
        )
        recipe = Recipe.parse(self.recipe)
        named = [s.name for s in recipe.steps if s.rule.needs_names]
        if named:
            raise RecipeError(
                f"step '{named[0]}' needs names or roles of targets, which a bare array has not. "
                "Use drugsig.pretreat(profiles, recipe) on a profile set."
            )
        applied = apply_recipe(_bare(values), recipe)
        n_columns = len(applied.block.targets)
        if n_columns != values.shape[1]:
            raise RecipeError(
                f"recipe '{recipe}' turns {values.shape[1]} columns into {n_columns}; "
                "this transformer keeps the columns. Use drugsig.pretreat(profiles, recipe)."
            )
        self.recipe_ = Recipe(applied.steps)
        emit(applied.notes)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Apply the recipe.

        Parameters
        ----------
        X : array_like of float, shape (n_profiles, n_targets)
            Not negative.

        Returns
        -------
        ndarray of float64, shape (n_profiles, n_targets)
            A new array.
        """
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        applied = apply_recipe(_bare(values), self.recipe_)
        emit(applied.notes)
        return applied.block.values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags


def _bare(values: NDArray[np.float64]) -> Block:
    """Return a block of impurities named by their place."""
    if (values < 0).any():
        raise RecipeError(
            "Negative values in data passed to RecipeTransformer; profiles hold areas or "
            "concentrations, which are not negative"
        )
    status = np.where(values == 0, Status.BELOW_LOD, Status.DETECTED).astype(np.uint8)
    unknown = np.full(values.shape, np.nan)
    return Block(
        values=np.asarray(values, dtype=np.float64),
        status=status,
        limits=unknown,
        uncertainty=unknown,
        targets=tuple(Target(f"x{k}") for k in range(values.shape[1])),
        ids=tuple(str(k) for k in range(values.shape[0])),
    )

"""Pretreatment: steps by name, recipes, and their application to profiles.

`RecipeTransformer` is imported from its own module, because scikit-learn is slow to load.
"""

from drugsig.profiles.pretreatment.apply import pretreat
from drugsig.profiles.pretreatment.recipe import Recipe, RecipeStep
from drugsig.profiles.pretreatment.rule import StepRule
from drugsig.profiles.pretreatment.steps import STEPS

__all__ = ["STEPS", "Recipe", "RecipeStep", "StepRule", "pretreat"]

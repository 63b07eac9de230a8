"""A target: one compound that a protocol measures, and the part it plays in a profile."""

from __future__ import annotations

from dataclasses import dataclass

from drugsig._check import choose, one_line_text

__all__ = ["ROLES", "Target"]

# Normalisation and comparison use impurities only: the main compound is often overloaded,
# and cutting agents are added later.
ROLES = (
    "impurity",
    "main",
    "internal_standard",
    "cutting_agent",
    "solvent",
    "degradation_product",
)


@dataclass(frozen=True)
class Target:
    """One compound that a protocol measures.

    Parameters
    ----------
    name : str
        The name the laboratory uses; unique within a profile set.
    role : str
        One of `ROLES`. Only an ``impurity`` enters normalisation sums and comparison.
    unit : str
        The unit of its values as they were read: ``"area"`` for peak areas.

    Examples
    --------
    >>> Target("tropacocaine").role
    'impurity'
    """

    name: str
    role: str = "impurity"
    unit: str = "area"

    def __post_init__(self) -> None:
        one_line_text(self.name, what="the name of a target")
        choose(self.role, ROLES, what=f"role for target '{self.name}':")
        one_line_text(self.unit, what=f"the unit of target '{self.name}'")

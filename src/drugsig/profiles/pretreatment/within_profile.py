"""Steps that look at one profile at a time: division by a sum or a compound, roots, logarithm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from drugsig._check import choose, listed
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment.block import Block
from drugsig.profiles.pretreatment.rule import (
    Floats,
    Learned,
    Parameters,
    refuse_missing,
    refuse_negative,
    refuse_rows,
)

__all__ = ["divide_by_role", "log10", "ordered_sum", "root", "sum_of_impurities"]


def ordered_sum(values: Floats) -> Floats:
    """Add up rows in target order, so that the result does not depend on how numpy groups terms."""
    total = np.zeros(len(values))
    for column in values.T:
        total = total + column
    return total


def sum_of_impurities(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Divide by the sum of the impurities; everything else leaves the profile."""
    refuse_negative(block, "sum")
    columns = block.impurities
    if not columns.any():
        raise RecipeError("step 'sum' adds impurities up, and no target has the role 'impurity'")
    refuse_missing(block, "sum", columns[None, :])
    kept = block.columns(columns)
    total = ordered_sum(kept.values)
    refuse_rows(block, "sum", total <= 0, "no impurity was detected, so their sum is zero")
    # An infinite sum would turn the whole profile into zeros.
    refuse_rows(block, "sum", np.isinf(total), "the values are too large to be added up")
    done = kept.divided(total[:, None])
    squares = kept.uncertainty**2
    others = np.maximum(squares.sum(axis=1, keepdims=True) - squares, 0.0)
    # y = x / S moves with its own x by (1 - y) / S and with every other part by -y / S.
    spread = np.sqrt((1.0 - done.values) ** 2 * squares + done.values**2 * others)
    return replace(done, uncertainty=spread / total[:, None])


def divide_by_role(step: str, role: str) -> Callable[[Block, Parameters, Learned], Block]:
    """Return a step that divides by the one target of a role, which then leaves the profile."""

    def divide(block: Block, parameters: Parameters, learned: Learned) -> Block:
        name = parameters["target"]
        with_role = [t.name for t in block.targets if t.role == role]
        if name is None:
            if len(with_role) != 1:
                raise RecipeError(
                    f"step '{step}' divides by the target with the role '{role}', and "
                    f"{len(with_role)} target(s) have it{': ' if with_role else ''}"
                    f"{listed(with_role)}. Set the role with profiles.with_roles({{...}}), or name "
                    f"the target: {step}(target=...)."
                )
            name = with_role[0]
        choose(name, block.names, what=f"target of step '{step}'")
        place = block.names.index(name)
        if block.targets[place].role == "impurity":
            raise RecipeError(
                f"step '{step}' was given '{name}', which is an impurity. Give it the role "
                f"'{role}' first: profiles.with_roles({{'{name}': '{role}'}})."
            )
        divisor = block.values[:, place]
        detected = block.usable[:, place] & ~block.censored[:, place]
        refuse_rows(
            block, step, ~(detected & (divisor > 0)), f"'{name}' was not detected or was rejected"
        )
        spread = block.uncertainty[:, place, None] / divisor[:, None]
        rest = block.columns(np.arange(len(block.targets)) != place).divided(divisor[:, None])
        return replace(rest, uncertainty=np.hypot(rest.uncertainty, rest.values * spread))

    return divide


def root(
    step: str, value: Callable[[Floats], Floats], slope: Callable[[Floats], Floats]
) -> Callable[[Block, Parameters, Learned], Block]:
    """Return a step that takes a root of every value, given as a function with its slope."""

    def take(block: Block, parameters: Parameters, learned: Learned) -> Block:
        refuse_negative(block, step)
        return block.mapped(value, slope)

    return take


def log10(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Take the logarithm to base 10; parameters say what becomes of zeros."""
    add, scale, floor = parameters["add"], parameters["scale"], parameters["floor"]
    named = [k for k in ("add", "scale", "floor") if parameters[k] is not None]
    if len(named) > 1:
        raise RecipeError(
            f"step 'log10' takes one of add, scale and floor, got {' and '.join(named)}. "
            "add=c is log10(x + c); scale=c is log10(1 + c x); floor=c puts c in place of zeros."
        )
    for key in named:
        if not float(parameters[key]) > 0:
            raise RecipeError(f"step 'log10' needs {key} above zero, got {parameters[key]!r}")
    slope_scale = 1.0 / np.log(10.0)
    if scale is not None:
        refuse_negative(block, "log10")
        return block.mapped(
            lambda x: np.log10(1.0 + scale * x), lambda x: slope_scale * scale / (1.0 + scale * x)
        )
    shift = 0.0 if add is None else float(add)
    if floor is not None:
        refuse_negative(block, "log10")
        low = block.usable & (block.values < floor)
        block = replace(
            block,
            values=np.where(low, floor, block.values),
            limits=np.maximum(block.limits, floor),
            uncertainty=np.where(low, np.nan, block.uncertainty),
        )
    bad = block.usable & ~(block.values + shift > 0)
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise RecipeError(
            f"step 'log10' cannot take the logarithm of {block.values[row, column]:g} "
            f"({int(bad.sum())} cell(s); the first is profile '{block.ids[row]}', target "
            f"'{block.names[column]}'). Declare what a zero becomes: log10(add=c), log10(scale=c) "
            "or log10(floor=c)."
        )
    return block.mapped(lambda x: np.log10(x + shift), lambda x: slope_scale / (x + shift))

"""The registry of pretreatment steps: a name stands for one formula and its parameters.

A step may learn from data (a standard deviation, a list of targets). What it learned is frozen
into the recipe of the result, so that the same numbers are used for every later profile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, listed, share
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment.block import Block
from drugsig.profiles.pretreatment.zeros import (
    ZERO_RULES,
    imputed_share,
    learn_smallest,
    replaced,
)

__all__ = ["STEPS", "StepRule"]

Floats = NDArray[np.float64]
Parameters = Mapping[str, Any]
Learned = dict[str, Any]


def _learn_nothing(block: Block, parameters: Parameters) -> Learned:
    return {}


def _report_nothing(block: Block, parameters: Parameters) -> Learned:
    return {}


@dataclass(frozen=True)
class StepRule:
    """How one pretreatment step works.

    Parameters
    ----------
    name : str
        The registered name.
    formula : str
        In words and signs; x is a value, i a profile, j a target.
    note : str
        What a user must know before choosing it.
    apply : callable
        ``(block, parameters, learned) -> block``.
    learn : callable
        ``(block, parameters) -> learned``, data that can be written as JSON.
    defaults : mapping
        Parameters and their default values; None means there is none.
    positional : str
        The parameter that bare words in parentheses fill: ``drop_targets(a, b)``.
    needs_names : bool
        Whether it depends on names or roles of targets; such a step has no meaning for a bare
        array.
    positive_only : bool
        Whether negative values are refused.
    report : callable
        ``(block, parameters) -> data`` for the history: what the step does to these profiles.
    """

    name: str
    formula: str
    note: str
    apply: Callable[[Block, Parameters, Learned], Block]
    learn: Callable[[Block, Parameters], Learned] = _learn_nothing
    defaults: Mapping[str, Any] = field(default_factory=dict)
    positional: str = ""
    needs_names: bool = False
    positive_only: bool = False
    report: Callable[[Block, Parameters], Learned] = _report_nothing


# -- refusals shared by the steps ----------------------------------------------------------


def _refuse_missing(block: Block, step: str, columns: NDArray[np.bool_]) -> None:
    """A sum over targets that were not measured would read them as zero."""
    gaps = ~block.usable & columns
    rows = np.flatnonzero(gaps.any(axis=1))
    if len(rows):
        row = int(rows[0])
        lacking = [block.names[k] for k in np.flatnonzero(gaps[row])]
        raise RecipeError(
            f"step '{step}' needs every impurity measured, but {len(rows)} profile(s) have "
            f"targets not measured or rejected: {listed(block.ids[k] for k in rows)}; "
            f"'{block.ids[row]}' lacks {listed(lacking)}. Leave these profiles out "
            "(profiles.without([...])), or leave the targets out of all profiles with the step "
            "'drop_targets(...)' before it."
        )


def _refuse_rows(block: Block, step: str, bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        names = [block.ids[k] for k in np.flatnonzero(bad)]
        raise RecipeError(
            f"step '{step}' cannot be applied to {len(names)} profile(s): {what}: "
            f"{listed(names)}. Leave them out: profiles.without([...])."
        )


def _refuse_negative(block: Block, step: str) -> None:
    bad = block.usable & (block.values < 0)
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise RecipeError(
            f"step '{step}' has no meaning for negative values; profile '{block.ids[row]}', "
            f"target '{block.names[column]}' is {block.values[row, column]:g}. Put the step before "
            "any logarithm, log-ratio or autoscaling."
        )


# -- normalisation within a profile --------------------------------------------------------


def _ordered_sum(values: Floats) -> Floats:
    """Sum in target order, so that the result does not depend on how numpy groups terms."""
    total = np.zeros(len(values))
    for column in values.T:
        total = total + column
    return total


def _sum(block: Block, parameters: Parameters, learned: Learned) -> Block:
    _refuse_negative(block, "sum")
    columns = block.impurities
    if not columns.any():
        raise RecipeError("step 'sum' adds impurities up, and no target has the role 'impurity'")
    _refuse_missing(block, "sum", columns[None, :])
    kept = block.columns(columns)
    total = _ordered_sum(kept.values)
    _refuse_rows(block, "sum", total <= 0, "no impurity was detected, so their sum is zero")
    return kept.scaled(1.0 / total[:, None])


def _by_role(step: str, role: str) -> Callable[[Block, Parameters, Learned], Block]:
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
        unusable = ~block.usable[:, place] | ~(np.nan_to_num(divisor) > 0)
        _refuse_rows(block, step, unusable, f"'{name}' was not detected")
        return block.scaled(1.0 / divisor[:, None])

    return divide


# -- one cell at a time --------------------------------------------------------------------


def _root(step: str, power: float) -> Callable[[Block, Parameters, Learned], Block]:
    def root(block: Block, parameters: Parameters, learned: Learned) -> Block:
        _refuse_negative(block, step)
        if power == 0.5:
            return block.mapped(np.sqrt, lambda x: 0.5 / np.sqrt(x))
        # Two square roots: correctly rounded everywhere, unlike a general power.
        return block.mapped(lambda x: np.sqrt(np.sqrt(x)), lambda x: 0.25 * x**-0.75)

    return root


def _log10(block: Block, parameters: Parameters, learned: Learned) -> Block:
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
        _refuse_negative(block, "log10")
        return block.mapped(
            lambda x: np.log10(1.0 + scale * x), lambda x: slope_scale * scale / (1.0 + scale * x)
        )
    shift = 0.0 if add is None else float(add)
    if floor is not None:
        _refuse_negative(block, "log10")
        low = block.usable & (block.values < floor)
        block = replace(
            block,
            values=np.where(low, floor, block.values),
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
    with np.errstate(divide="ignore", invalid="ignore"):
        done = block.mapped(
            lambda x: np.log10(x + shift), lambda x: slope_scale / (x + shift)
        )
    # A limit of zero or below has no logarithm: it says nothing any more.
    return replace(done, limits=np.where(np.isfinite(done.limits), done.limits, np.nan))


# -- learned from a set of profiles --------------------------------------------------------


def _measured_columns(block: Block, step: str, least: int) -> list[Floats]:
    columns = [block.values[block.usable[:, k], k] for k in range(len(block.targets))]
    few = [block.names[k] for k, x in enumerate(columns) if len(x) < least]
    if few:
        raise RecipeError(
            f"step '{step}' learns from at least {least} profiles a target; {listed(few)} was "
            "measured in fewer. Learn it from a larger set and apply that recipe here."
        )
    return columns


def _spread(block: Block, step: str) -> list[float]:
    columns = _measured_columns(block, step, 2)
    spread = [float(np.std(x, ddof=1)) for x in columns]
    flat = [n for n, s, x in zip(block.names, spread, columns, strict=True)
            if not s > 1e-12 * float(np.max(np.abs(x)))]
    if flat:
        raise RecipeError(
            f"step '{step}' divides by a standard deviation that is zero for {listed(flat)}: "
            "the value is the same in every profile. Leave it out before: "
            f"drop_targets({', '.join(flat[:3])})."
        )
    return spread


def _learn_sd(block: Block, parameters: Parameters) -> Learned:
    return {"targets": list(block.names), "sd": _spread(block, "sd_weights")}


def _learn_autoscale(block: Block, parameters: Parameters) -> Learned:
    columns = _measured_columns(block, "autoscale", 2)
    return {
        "targets": list(block.names),
        "mean": [float(np.mean(x)) for x in columns],
        "sd": _spread(block, "autoscale"),
    }


def _learned_for(block: Block, step: str, learned: Learned) -> None:
    if list(block.names) != learned["targets"]:
        lacking = [n for n in learned["targets"] if n not in block.names]
        extra = [n for n in block.names if n not in learned["targets"]]
        raise RecipeError(
            f"step '{step}' was learned for other targets: these profiles lack "
            f"{listed(lacking) or 'none'} and add {listed(extra) or 'none'}, or have them in "
            "another order. Bring them to the same targets with profiles.keep_targets([...])."
        )


def _sd_weights(block: Block, parameters: Parameters, learned: Learned) -> Block:
    _learned_for(block, "sd_weights", learned)
    return block.scaled(1.0 / np.asarray(learned["sd"], dtype=np.float64)[None, :])


def _autoscale(block: Block, parameters: Parameters, learned: Learned) -> Block:
    _learned_for(block, "autoscale", learned)
    mean = np.asarray(learned["mean"], dtype=np.float64)[None, :]
    spread = np.asarray(learned["sd"], dtype=np.float64)[None, :]
    shifted = replace(block, values=block.values - mean, limits=block.limits - mean)
    return shifted.scaled(1.0 / spread)


def _learn_rank(block: Block, parameters: Parameters) -> Learned:
    columns = _measured_columns(block, "rank", 1)
    return {"targets": list(block.names), "sorted": [sorted(map(float, x)) for x in columns]}


def _rank(block: Block, parameters: Parameters, learned: Learned) -> Block:
    _learned_for(block, "rank", learned)
    values, limits = np.full_like(block.values, np.nan), np.full_like(block.limits, np.nan)
    for k, known in enumerate(learned["sorted"]):
        reference = np.asarray(known, dtype=np.float64)
        for source, out in ((block.values, values), (block.limits, limits)):
            cells = ~np.isnan(source[:, k])
            x = source[cells, k]
            below = np.searchsorted(reference, x, side="left")
            up_to = np.searchsorted(reference, x, side="right")
            out[cells, k] = (below + up_to) / (2.0 * len(reference))
    # A step function has no slope to carry an uncertainty with.
    return replace(
        block, values=values, limits=limits, uncertainty=np.full_like(block.values, np.nan)
    )


# -- log-ratios ----------------------------------------------------------------------------


def _learn_zeros(step: str) -> Callable[[Block, Parameters], Learned]:
    def learn(block: Block, parameters: Parameters) -> Learned:
        kept = block.columns(block.impurities)
        if choose(parameters["zeros"], ZERO_RULES, what=f"zero rule of step '{step}'") == "refuse":
            return {}
        return {"targets": list(kept.names), "smallest": learn_smallest(kept)}

    return learn


def _report_imputed(block: Block, parameters: Parameters) -> Learned:
    if parameters["zeros"] == "refuse":
        return {}
    shares = imputed_share(block.columns(block.impurities))
    return {
        "imputed_share": {
            name: round(float(x), 6) for name, x in zip(block.ids, shares, strict=True) if x > 0
        }
    }


def _log_parts(block: Block, step: str, parameters: Parameters, learned: Learned) -> Block:
    kept = block.columns(block.impurities)
    if len(kept.targets) < 2:
        raise RecipeError(f"step '{step}' needs at least 2 impurities, got {len(kept.targets)}")
    _refuse_missing(kept, step, np.ones((1, len(kept.targets)), dtype=bool))
    _refuse_negative(kept, step)
    _refuse_rows(
        kept, step, ~(kept.values > 0).any(axis=1), "no impurity was detected"
    )
    if parameters["zeros"] == "multiplicative":
        _learned_for(kept, step, learned)
        kept = replaced(kept, step, parameters, learned["smallest"])
    bad = ~(kept.values > 0)
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise RecipeError(
            f"step '{step}' cannot form a ratio with zero: {int(bad.sum())} cell(s) are zero, the "
            f"first is profile '{kept.ids[row]}', target '{kept.names[column]}'. Keep targets that "
            f"are always detected (keep_detected(share=1)), or name a replacement: "
            f"{step}(zeros=multiplicative), and look at the share it imputes."
        )
    with np.errstate(invalid="ignore"):
        return kept.mapped(np.log, lambda x: 1.0 / x)


def _clr(block: Block, parameters: Parameters, learned: Learned) -> Block:
    logs = _log_parts(block, "clr", parameters, learned)
    centre = _ordered_sum(logs.values)[:, None] / len(logs.targets)
    # The uncertainty of a part less the mean of all parts, parts taken as independent.
    p = len(logs.targets)
    squares = logs.uncertainty**2
    spread = np.sqrt(squares * (1.0 - 2.0 / p) + squares.sum(axis=1, keepdims=True) / p**2)
    limits = np.where(np.isfinite(logs.limits), logs.limits - centre, np.nan)
    return replace(logs, values=logs.values - centre, limits=limits, uncertainty=spread)


def _pairwise(block: Block, parameters: Parameters, learned: Learned) -> Block:
    logs = _log_parts(block, "pairwise_log_ratios", parameters, learned)
    first, second = np.triu_indices(len(logs.targets), k=1)
    targets = tuple(
        replace(logs.targets[j], name=f"{logs.names[j]} / {logs.names[k]}", unit="log ratio")
        for j, k in zip(first, second, strict=True)
    )
    return Block(
        values=logs.values[:, first] - logs.values[:, second],
        # The worse of the two: a ratio with a part below its limit is not a detected ratio.
        status=np.maximum(logs.status[:, first], logs.status[:, second]),
        # A limit of one part bounds the ratio from one side only; it is no limit of detection.
        limits=np.full((len(logs.ids), len(first)), np.nan),
        uncertainty=np.hypot(logs.uncertainty[:, first], logs.uncertainty[:, second]),
        targets=targets,
        ids=logs.ids,
    )


# -- which targets -------------------------------------------------------------------------


def _drop_targets(block: Block, parameters: Parameters, learned: Learned) -> Block:
    names = parameters["targets"]
    for name in names:
        choose(name, block.names, what="target of step 'drop_targets'")
    keep = np.array([n not in names for n in block.names], dtype=bool)
    if not keep.any():
        raise RecipeError("step 'drop_targets' would drop every target")
    return block.columns(keep)


def _learn_detected(block: Block, parameters: Parameters) -> Learned:
    least = parameters["share"]
    least = 1.0 if least == 1 else share(least, what="share of step 'keep_detected'")
    looked_at = block.usable.sum(axis=0)
    detected = (block.usable & ~block.censored).sum(axis=0)
    often = np.where(looked_at > 0, detected / np.maximum(looked_at, 1), 0.0)
    # Targets that play another part than an impurity are kept: later steps may divide by them.
    kept = [
        t.name
        for t, x in zip(block.targets, often, strict=True)
        if t.role != "impurity" or x >= least
    ]
    if not any(t.role == "impurity" and t.name in kept for t in block.targets):
        raise RecipeError(
            f"step 'keep_detected' keeps impurities detected in a share of at least {least:g} of "
            f"the profiles, and none is; the most often detected one reaches {often.max():.3f}"
        )
    return {"kept": kept}


def _keep_detected(block: Block, parameters: Parameters, learned: Learned) -> Block:
    lacking = [n for n in learned["kept"] if n not in block.names]
    if lacking:
        raise RecipeError(
            f"step 'keep_detected' was learned with {listed(lacking)}, which these profiles lack"
        )
    return block.columns(np.array([n in learned["kept"] for n in block.names], dtype=bool))


_ZERO_PARAMETERS = {"zeros": "refuse", "fraction": 0.65, "share": 0.5}
_ZERO_NOTE = (
    "Zeros are refused unless zeros=multiplicative: a value below its limit becomes `fraction` "
    "of that limit or, where the limit is unknown, `share` of the smallest detected value of the "
    "target; the detected values give up what is added, so that their ratios stay."
)

_ALL = [
    StepRule(
        "sum",
        "x_ij / sum of the impurities of profile i",
        "The main compound and cutting agents never enter the sum, and leave the profile.",
        _sum,
        positive_only=True,
    ),
    StepRule(
        "internal_standard",
        "x_ij / x of the internal standard in profile i",
        "Keeps information on the amount, and with it every error of weighing and dilution.",
        _by_role("internal_standard", "internal_standard"),
        defaults={"target": None},
        needs_names=True,
    ),
    StepRule(
        "main_compound",
        "x_ij / x of the main compound in profile i",
        "The main compound is often overloaded; then this divides by a wrong number.",
        _by_role("main_compound", "main"),
        defaults={"target": None},
        needs_names=True,
    ),
    StepRule(
        "square_root",
        "x^(1/2)",
        "Keeps zeros; weakens large peaks.",
        _root("square_root", 0.5),
        positive_only=True,
    ),
    StepRule(
        "fourth_root",
        "x^(1/4)",
        "Keeps zeros; weakens large peaks strongly. With `sum` before it the most used treatment "
        "for amphetamine.",
        _root("fourth_root", 0.25),
        positive_only=True,
    ),
    StepRule(
        "log10",
        "log10(x), log10(x + add), log10(1 + scale x), or log10(max(x, floor))",
        "Refuses zeros unless one of add, scale and floor declares what becomes of them.",
        _log10,
        defaults={"add": None, "scale": None, "floor": None},
        positive_only=True,
    ),
    StepRule(
        "sd_weights",
        "x_ij / sd_j over the profiles it was learned from",
        "The standard deviations belong to the reference set and are frozen.",
        _sd_weights,
        _learn_sd,
    ),
    StepRule(
        "autoscale",
        "(x_ij - mean_j) / sd_j over the profiles it was learned from",
        "Means and standard deviations belong to the reference set and are frozen.",
        _autoscale,
        _learn_autoscale,
    ),
    StepRule(
        "rank",
        "share of the reference profiles below x_ij, ties counted one half",
        "The reference values are frozen.",
        _rank,
        _learn_rank,
    ),
    StepRule(
        "clr",
        "ln x_ij - mean over the impurities of ln x_ij",
        "Centred log-ratios. " + _ZERO_NOTE,
        _clr,
        _learn_zeros("clr"),
        defaults=_ZERO_PARAMETERS,
        positive_only=True,
        report=_report_imputed,
    ),
    StepRule(
        "pairwise_log_ratios",
        "ln x_ij - ln x_ik for all j < k",
        "One new target a pair of impurities. " + _ZERO_NOTE,
        _pairwise,
        _learn_zeros("pairwise_log_ratios"),
        defaults=_ZERO_PARAMETERS,
        positive_only=True,
        report=_report_imputed,
    ),
    StepRule(
        "drop_targets",
        "leaves the named targets out",
        "Put it before a sum, or the sum still holds them.",
        _drop_targets,
        defaults={"targets": ()},
        positional="targets",
        needs_names=True,
    ),
    StepRule(
        "keep_detected",
        "keeps impurities detected in at least `share` of the profiles where they were measured",
        "The list of targets is frozen.",
        _keep_detected,
        _learn_detected,
        defaults={"share": 0.5},
    ),
]

STEPS: Mapping[str, StepRule] = MappingProxyType({rule.name: rule for rule in _ALL})

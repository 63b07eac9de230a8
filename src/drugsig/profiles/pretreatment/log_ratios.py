"""Log-ratio steps: centred and pairwise, with a declared rule for zeros."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from drugsig._check import choose
from drugsig._notes import Note
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment.block import Block
from drugsig.profiles.pretreatment.reference_set import learned_for
from drugsig.profiles.pretreatment.rule import (
    Learned,
    Parameters,
    refuse_missing,
    refuse_negative,
    refuse_rows,
)
from drugsig.profiles.pretreatment.within_profile import ordered_sum
from drugsig.profiles.pretreatment.zeros import (
    ZERO_RULES,
    imputed_share,
    learn_smallest,
    much_imputed,
    replaced,
)

__all__ = ["clr", "learn_zeros", "note_imputed", "pairwise_log_ratios", "report_imputed"]


def learn_zeros(step: str) -> Callable[[Block, Parameters], Learned]:
    """Return what learns the smallest detected values, where zeros are to be replaced."""

    def learn(block: Block, parameters: Parameters) -> Learned:
        kept = block.columns(block.impurities)
        if choose(parameters["zeros"], ZERO_RULES, what=f"zero rule of step '{step}'") == "refuse":
            return {}
        return {"targets": list(kept.names), "smallest": learn_smallest(kept)}

    return learn


def report_imputed(block: Block, parameters: Parameters) -> Learned:
    """Return the share of imputed targets of every profile that has any."""
    if parameters["zeros"] == "refuse":
        return {}
    shares = imputed_share(block.columns(block.impurities))
    return {
        "imputed_share": {
            name: round(float(x), 6) for name, x in zip(block.ids, shares, strict=True) if x > 0
        }
    }


def note_imputed(step: str) -> Callable[[Block, Parameters], tuple[Note, ...]]:
    """Return what notes profiles of which much is imputed, where zeros are to be replaced."""

    def notes(block: Block, parameters: Parameters) -> tuple[Note, ...]:
        if parameters["zeros"] == "refuse":
            return ()
        return much_imputed(block.columns(block.impurities), step)

    return notes


def _log_parts(block: Block, step: str, parameters: Parameters, learned: Learned) -> Block:
    kept = block.columns(block.impurities)
    if len(kept.targets) < 2:
        raise RecipeError(f"step '{step}' needs at least 2 impurities, got {len(kept.targets)}")
    refuse_missing(kept, step, np.ones((1, len(kept.targets)), dtype=bool))
    refuse_negative(kept, step)
    refuse_rows(kept, step, np.asarray(~(kept.values > 0).any(axis=1)), "no impurity was detected")
    if parameters["zeros"] == "multiplicative":
        learned_for(kept, step, learned, "smallest")
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
    return kept.mapped(np.log, lambda x: 1.0 / x)


def clr(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Take logarithms less their mean over the impurities."""
    logs = _log_parts(block, "clr", parameters, learned)
    centre = ordered_sum(logs.values)[:, None] / len(logs.targets)
    # The uncertainty of a part less the mean of all parts, parts taken as independent.
    p = len(logs.targets)
    squares = logs.uncertainty**2
    spread = np.sqrt(squares * (1.0 - 2.0 / p) + squares.sum(axis=1, keepdims=True) / p**2)
    return replace(
        logs,
        values=logs.values - centre,
        limits=logs.limits - centre,
        uncertainty=spread,
    )


def pairwise_log_ratios(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Take the logarithm of the ratio of every two impurities."""
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

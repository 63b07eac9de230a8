"""Steps that choose targets."""

from __future__ import annotations

import numpy as np

from drugsig._check import choose, listed, share
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment.block import Block
from drugsig.profiles.pretreatment.rule import Learned, Parameters

__all__ = ["drop_targets", "keep_detected", "learn_detected"]


def drop_targets(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Leave the named targets out."""
    names = parameters["targets"]
    for name in names:
        choose(name, block.names, what="target of step 'drop_targets'")
    keep = np.array([n not in names for n in block.names], dtype=bool)
    if not keep.any():
        raise RecipeError("step 'drop_targets' would drop every target")
    return block.columns(keep)


def learn_detected(block: Block, parameters: Parameters) -> Learned:
    """Return the targets that are detected often enough, and all that are no impurities."""
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
            f"the profiles, and none is; the most often detected one reaches "
            f"{often[block.impurities].max(initial=0.0):.3f}"
        )
    return {"kept": kept}


def keep_detected(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Keep the targets that were detected often enough in the reference set."""
    if not isinstance(learned.get("kept"), list):
        raise RecipeError(
            "step 'keep_detected' is frozen without what it needs: 'learned' must hold the list "
            "'kept'. Use the recipe of pretreated profiles, drugsig.Recipe.of(profiles)."
        )
    lacking = [n for n in learned["kept"] if n not in block.names]
    if lacking:
        raise RecipeError(
            f"step 'keep_detected' was learned with {listed(lacking)}, which these profiles lack"
        )
    return block.columns(np.array([n in learned["kept"] for n in block.names], dtype=bool))

"""Evaluate likelihood ratios on real MDMA tablets: one measurement against one, half against half.

Run it from the repository's folder, with the folder of the public data (see the how-to page "Get
the public data")::

    python -m scripts.evaluate_mdma_tablets --data FOLDER --seeds 20

The choices are the library's defaults, and were fixed before the tablets were looked at: that
likelihood ratios are calibrated by a line with lapses was decided on simulated profiles with and
without mistyped values and mixed-up samples, and on the glass data. Beside them stands what was
the default before, a line without lapses, and the difference of the two on the same pairs, with
the interval from drawing the batches. Nothing is removed from the data. Every pair is judged by a
model that was fitted without both of its batches.

With ``--corrected`` the measurements in which `drugsig.find_outliers` names a value are left out
in a run apart. It shows what the mistyped values cost, and is no estimate of casework, where
nobody knows which value is mistyped. ``--json FILE`` keeps the figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drugsig.datasets.fetch import fetch_mdma_tablets
from drugsig.evidence import PopulationRule
from drugsig.evidence.evaluation import Evaluation, evaluate_model
from drugsig.evidence.models import LrModelSpec
from drugsig.evidence.resampling import source_weights
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality import find_outliers

RULE = PopulationRule.from_data(
    {
        "name": "known production batches",
        "source": ["batch_id"],
        "source_level": "production batch",
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
    }
)

ITEMS = {"one measurement against one": None, "half a batch against half": "half_id"}
CALIBRATIONS = ("logistic_lapse", "logistic")

# The mean over seeds of Cllr, calibrated and bounded, that is hoped for.
GOALS = {"one measurement against one": 0.33, "half a batch against half": 0.25}

N_RESAMPLES = 2000


def with_halves(profiles: ProfileSet) -> ProfileSet:
    """Deal the measurements of every batch into two halves in turn, in the order of the file."""
    seen: Counter[str] = Counter()
    halves = []
    for batch in profiles.column("batch_id"):
        halves.append(f"{batch}/{'AB'[seen[str(batch)] % 2]}")
        seen[str(batch)] += 1
    return profiles.with_column("half_id", halves)


def evaluations(profiles: ProfileSet, seeds: Sequence[int]) -> dict[str, dict[str, Evaluation]]:
    """Evaluate both ways of comparing, each with both calibrations."""
    profiles = with_halves(profiles)
    return {
        name: {
            method: evaluate_model(
                profiles,
                RULE,
                LrModelSpec(replicate_level="unit", item=item, calibration=method),
                seeds=seeds,
            )
            for method in CALIBRATIONS
        }
        for name, item in ITEMS.items()
    }


def difference(one: Evaluation, other: Evaluation) -> tuple[float, float, float]:
    """Return the difference of Cllr on the same pairs, and its 95 % interval over batches."""
    for column in ("item_a", "item_b", "seed", "linked"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))
    more = costs(one) - costs(other)
    n = len(one.sources)
    sums = np.zeros((2, 2, n, n))
    for side in (0, 1):
        own = one.linked == bool(side)
        places = one.source_a[own], one.source_b[own]
        np.add.at(sums[side, 0], places, more[own])
        np.add.at(sums[side, 1], places, 1.0)
    draws = source_weights(n, N_RESAMPLES, np.random.default_rng(1)).T
    found = sum(
        (
            np.einsum("ri,ij,rj->r", draws, sums[0, 0], draws)
            / np.einsum("ri,ij,rj->r", draws, sums[0, 1], draws),
            (draws @ np.diagonal(sums[1, 0])) / (draws @ np.diagonal(sums[1, 1])),
        )
    )
    observed = sum(sums[side, 0].sum() / sums[side, 1].sum() for side in (0, 1)) / 2.0
    low, high = np.quantile(found / 2.0, [0.025, 0.975])
    return float(observed), float(low), float(high)


def costs(evaluation: Evaluation) -> NDArray[np.float64]:
    """Return what every pair costs, in bits."""
    log_lr = evaluation.log10_lr_bounded * np.log(10.0)
    return np.asarray(np.logaddexp(0.0, np.where(evaluation.linked, -log_lr, log_lr)) / np.log(2.0))


def report(title: str, found: dict[str, dict[str, Evaluation]]) -> dict[str, object]:
    """Write figures, and return them."""
    kept: dict[str, object] = {}
    for name, by_method in found.items():
        for method, evaluation in by_method.items():
            table = evaluation.by_seed()
            performance = evaluation.performance(rng=np.random.default_rng(1), n_resamples=200)
            sys.stdout.write(
                f"\n{title}: {name}, {method}\n{evaluation.n_linked} linked pairs of "
                f"{evaluation.n_linked_sources} batches, {evaluation.n_unlinked} unlinked pairs\n"
                f"{table.round(4).to_string(index=False)}\n"
                f"mean: raw {table['cllr_raw'].mean():.4f}, calibrated "
                f"{table['cllr_calibrated'].mean():.4f}, bounded "
                f"{table['cllr_bounded'].mean():.4f} ({GOALS[name]} hoped for)\n"
                f"Cllr bounded over all seeds {performance.cllr}\n"
            )
            kept[f"{name}, {method}"] = table.to_dict(orient="list")
        mean, low, high = difference(*(by_method[method] for method in CALIBRATIONS))
        sys.stdout.write(
            f"\n{title}: {name}, Cllr bounded with lapses less without: {mean:+.4f} (95 % "
            f"{low:+.4f} to {high:+.4f} over batches)\n"
        )
        kept[f"{name}, difference"] = [mean, low, high]
    return kept


def main() -> None:
    """Evaluate, and write figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the folder of the public data")
    parser.add_argument("--seeds", type=int, default=20, help="partings of the batches: 0, 1 ...")
    parser.add_argument("--corrected", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    profiles = fetch_mdma_tablets(folder=options.data)
    outliers = find_outliers(profiles)
    for f in outliers.findings:
        others = ", ".join(f"{x:g}" for x in f.others)
        sys.stdout.write(f"named: {f.profile_id} {f.target} {f.value:g} (others {others})\n")
    seeds = range(options.seeds)
    kept = {"nothing removed": report("Nothing removed", evaluations(profiles, seeds))}
    if options.corrected:
        named = sorted({f.profile_id for f in outliers.findings})
        left = profiles.without(named, why="a value is named by find_outliers")
        kept["named left out"] = report(
            f"{len(named)} measurements left out", evaluations(left, seeds)
        )
    if options.json is not None:
        text = json.dumps(kept, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

"""Evaluate likelihood ratios on real MDMA tablets: one measurement against one, half against half.

Run it from the repository's folder, with the folder of the public data (see the how-to page "Get
the public data")::

    python -m scripts.evaluate_mdma_tablets --data FOLDER --seeds 20

The choices were fixed before any figure was looked at, and none was changed afterwards: the
library's own defaults, and one item in a hundred taken to hold a gross error, because people
mistype about that often. Nothing is removed from the data. Every pair is judged by a model that
was fitted without both of its batches.

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

from drugsig.datasets.fetch import fetch_mdma_tablets
from drugsig.evidence import PopulationRule
from drugsig.evidence.evaluation import Evaluation, evaluate_model
from drugsig.evidence.models import LrModelSpec
from drugsig.evidence.two_level import TwoLevelOptions
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

OPTIONS = TwoLevelOptions(error_share=0.01)
SPECS = {
    "one measurement against one": LrModelSpec(replicate_level="unit", two_level=OPTIONS),
    "half a batch against half": LrModelSpec(
        replicate_level="unit", item="half_id", two_level=OPTIONS
    ),
}

# The most that the mean over seeds of Cllr, calibrated and bounded, may be.
LIMITS = {"one measurement against one": 0.33, "half a batch against half": 0.25}


def with_halves(profiles: ProfileSet) -> ProfileSet:
    """Deal the measurements of every batch into two halves in turn, in the order of the file."""
    seen: Counter[str] = Counter()
    halves = []
    for batch in profiles.column("batch_id"):
        halves.append(f"{batch}/{'AB'[seen[str(batch)] % 2]}")
        seen[str(batch)] += 1
    return profiles.with_column("half_id", halves)


def evaluations(profiles: ProfileSet, seeds: Sequence[int]) -> dict[str, Evaluation]:
    """Evaluate both ways of comparing."""
    profiles = with_halves(profiles)
    return {name: evaluate_model(profiles, RULE, spec, seeds=seeds) for name, spec in SPECS.items()}


def report(title: str, found: dict[str, Evaluation]) -> dict[str, object]:
    """Write figures, and return them."""
    kept: dict[str, object] = {}
    for name, evaluation in found.items():
        table = evaluation.by_seed()
        performance = evaluation.performance(rng=np.random.default_rng(1), n_resamples=200)
        better = bool((table["cllr_calibrated"] < table["cllr_raw"]).all())
        sys.stdout.write(
            f"\n{title}: {name}\n{evaluation.n_linked} linked pairs of "
            f"{evaluation.n_linked_sources} batches, {evaluation.n_unlinked} unlinked pairs\n"
            f"{table.round(4).to_string(index=False)}\n"
            f"mean: raw {table['cllr_raw'].mean():.4f}, calibrated "
            f"{table['cllr_calibrated'].mean():.4f}, bounded {table['cllr_bounded'].mean():.4f} "
            f"(at most {LIMITS[name]} asked for)\n"
            f"Cllr bounded over all seeds {performance.cllr}\n"
            f"calibrated below raw in every seed: {'yes' if better else 'NO'}\n"
        )
        kept[name] = table.to_dict(orient="list")
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

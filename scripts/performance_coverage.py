"""How often the intervals of performance figures hold the truth, by simulation.

Run it from the repository's folder::

    python -m scripts.performance_coverage --repetitions 2000

Places of sources and of their profiles are normal, so that the likelihood ratio of every pair is
known: Cllr_cal is 0, Cllr_min is Cllr, and a likelihood ratio of k is reached by unlinked pairs in
at most 1/k of all cases. One line a number of sources.
"""

from __future__ import annotations

import argparse
import sys
import warnings

import numpy as np

from drugsig.errors import SmallSampleWarning
from drugsig.evidence.performance import LrPerformance, measure_performance
from tests.evidence.performance.cases import calibrated_pairs

LEVEL = 10.0
SOURCES_OF_TRUTH = 150


def measured(seed: int, n_sources: int, n_resamples: int, within: float) -> LrPerformance:
    """Simulate once and measure."""
    rng = np.random.default_rng(seed)
    values, linked, a, b = calibrated_pairs(rng, n_sources=n_sources, within=within)
    return measure_performance(
        values, linked, source_a=a, source_b=b, rng=rng, n_resamples=n_resamples, levels=[LEVEL]
    )


def truths(within: float) -> dict[str, float]:
    """Return the figures of very many pairs, from seeds that are used for nothing else."""
    large = [measured(10**6 + k, SOURCES_OF_TRUTH, 100, within) for k in range(20)]
    cost = float(np.mean([p.cllr.value for p in large]))
    return {
        "cllr": cost,
        "cllr_min": cost,
        "cllr_cal": 0.0,
        "misleading_linked": float(np.mean([p.misleading_linked.value for p in large])),
        "misleading_unlinked": float(np.mean([p.misleading_unlinked.value for p in large])),
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--sources", type=int, nargs="+", default=[10, 20, 30, 60])
    parser.add_argument("--within", type=float, default=0.3)
    options = parser.parse_args()
    warnings.simplefilter("ignore", SmallSampleWarning)
    truth = truths(options.within)
    names = [*truth, "promise kept", "identity in PAV band"]
    sys.stdout.write("sources  " + "  ".join(names) + "\n")
    for n_sources in options.sources:
        held = np.zeros(len(names))
        for seed in range(options.repetitions):
            found = measured(seed, n_sources, options.resamples, options.within)
            for k, (name, value) in enumerate(truth.items()):
                interval = getattr(found, name).interval
                held[k] += interval.low <= value <= interval.high
            held[-2] += all(e.kept for e in found.exceedances)
            curve = found.pav_curve
            if curve.low is not None and curve.high is not None:
                inside = (curve.low <= curve.log10_lr) & (curve.log10_lr <= curve.high)
                held[-1] += inside.mean()
        shares = "  ".join(f"{x:.3f}" for x in held / options.repetitions)
        sys.stdout.write(f"{n_sources:7}  {shares}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""How often 95 % intervals hold the truth, and likelihood ratios their promises, by simulation.

Run it from the repository's folder::

    python -m scripts.check_coverage --repetitions 2000 --refitted 300
    python -m scripts.check_coverage --quick

Batches and the profiles within them are normal, so that the likelihood ratio of every pair is
known: it is calibrated, and what is measured on it can only be off by chance. Every repetition
draws new batches, measures every figure with its interval, and asks whether the interval holds the
truth. Truths are those of a million independent pairs, and integrals where the figure is a rate.
One line a figure, one column a number of batches; beside each share its own 95 % interval, from
the number of repetitions.

``--uneven`` makes one batch of a dozen five times as large as the others, so that few decide what
the linked pairs say. ``--worth`` prints instead how wide the intervals are and what the pairs
support: the table of how much is known from so many batches. ``--json FILE`` keeps the shares. The
result is the same for any number of ``--workers``.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.stats import beta, norm

from drugsig.comparison import get_metric
from drugsig.errors import SmallSampleWarning
from drugsig.evidence import Interval, PairSample, PopulationRule
from drugsig.evidence.bounds import elub
from drugsig.evidence.discrimination import measure_discrimination
from drugsig.evidence.pairs import pairs_of_sources
from drugsig.evidence.performance import cllr, measure_performance
from drugsig.evidence.performance.intervals import (
    draw_sources,
    independent_pairs,
    interval_of,
)
from drugsig.evidence.performance.rates import STRONG_LOG10_LR
from drugsig.evidence.resampling import (
    effective_sources,
    falling,
    rate_band,
    rate_interval,
    source_weights,
)

RULE = PopulationRule.from_data(
    {
        "name": "simulated batches",
        "source": ["batch_id"],
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
    }
)

# Spread within batches, in units of that between them.
WITHIN = 0.3
PROFILES = 3

# With sources of uneven size, profiles of one source of a dozen, and of the others.
MANY_PROFILES, FEW_PROFILES, ONE_OF = 10, 2, 12

# The shares of pairs whose interval is looked at: linked or not, from this log10 LR on.
SHARES = {
    "linked pairs over a threshold": (True, 0.5),
    "unlinked pairs over a threshold": (False, 0.5),
    "linked pairs over a low threshold": (True, -0.5),
    "linked pairs over a high threshold": (True, 1.0),
    "unlinked pairs over a high threshold": (False, 1.0),
    "unlinked pairs over a very high threshold": (False, 1.3),
}

# False-positive rates at which the curve is looked at, and the promises that are.
FALSE_RATES = (0.05, 0.01)
LEVELS = (3.0, 10.0, 100.0)

TRUTH_PAIRS = 1_000_000

# The order of the table. Those after the first group are not intervals of a figure.
INTERVALS = (
    "AUC",
    "equal error rate",
    *(f"true-positive rate at {100 * rate:g} % false positives" for rate in FALSE_RATES),
    *SHARES,
    "Cllr",
    "Cllr_min",
    "Cllr_cal",
    "linked pairs with LR < 1",
    "unlinked pairs with LR > 1",
)
WORTH = (
    "lower bound of log10 LR (ELUB by sources)",
    "upper bound",
    "lower bound (ELUB by pairs)",
    "upper bound (ELUB by pairs)",
    "width of the interval of Cllr",
    "width of that of linked pairs with LR < 1",
    "width of that of unlinked pairs with LR > 1",
)
# The figures that refit PAV to every resample, which takes most of the time.
BAND = (
    "identity within the PAV band, share of the curve",
    "identity within the PAV band at 0",
)
REFITTED = ("Cllr_min", "Cllr_cal", *BAND)
PROMISES = (
    *(f"P(LR >= {k:g} | unlinked) <= 1/{k:g} within its interval" for k in LEVELS),
    *BAND,
)


def log10_lr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the true log10 LR of two profiles at these places."""
    total = 1.0 + WITHIN**2
    alike = 1.0 / total
    same = (a * a - 2.0 * alike * a * b + b * b) / (total * (1.0 - alike**2))
    different = (a * a + b * b) / total
    ratio: np.ndarray = (different - same - np.log(1.0 - alike**2)) / 2.0 / np.log(10.0)
    return ratio


def truths() -> dict[str, float]:
    """Return the figures of very many independent pairs, drawn for nothing else."""
    rng = np.random.default_rng(10**9)
    centre = rng.standard_normal((3, TRUTH_PAIRS))
    noise = WITHIN * rng.standard_normal((4, TRUTH_PAIRS))
    linked = log10_lr(centre[0] + noise[0], centre[0] + noise[1])
    unlinked = log10_lr(centre[1] + noise[2], centre[2] + noise[3])
    values = np.concatenate([linked, unlinked])
    known = np.arange(len(values)) < len(linked)
    ordered = np.sort(unlinked)
    places = np.sort(linked)
    missed = np.searchsorted(places, ordered) / len(places)
    false = 1.0 - np.arange(len(ordered)) / len(ordered)
    at = int(np.argmin(np.abs(missed - false)))
    cost = cllr(values, known)
    cuts = [float(np.quantile(unlinked, 1.0 - rate)) for rate in FALSE_RATES]
    curve = [float((linked >= cut).mean()) for cut in cuts]
    return {
        "AUC": float(np.searchsorted(ordered, linked).mean() / len(ordered)),
        "equal error rate": float((missed[at] + false[at]) / 2.0),
        **dict(zip(INTERVALS[2:], curve, strict=False)),
        **{name: share_over(cut, linked=side) for name, (side, cut) in SHARES.items()},
        "Cllr": cost,
        "Cllr_min": cost,
        "Cllr_cal": 0.0,
        "linked pairs with LR < 1": 1.0 - share_over(0.0, linked=True),
        "unlinked pairs with LR > 1": share_over(0.0, linked=False),
    }


def share_over(cut: float, *, linked: bool) -> float:
    """Return the true share of pairs with a log10 LR from a cut on.

    Sum and difference of two places are independent and normal, and the LR is large where the sum
    is large and the difference is small: for every sum the largest difference is known.
    """
    total = 1.0 + WITHIN**2
    alike = 1.0 / total
    shared = alike if linked else 0.0
    grid = np.linspace(-12.0, 12.0, 200_001)
    plus = total * (1.0 + shared) * grid**2 * alike / (total * (1.0 + alike))
    room = plus - np.log(1.0 - alike**2) - 2.0 * np.log(10.0) * cut
    most = np.sqrt(np.maximum(room, 0.0) * (1.0 - alike) / (alike * (1.0 - shared)))
    return float(np.trapezoid((2.0 * norm.cdf(most) - 1.0) * norm.pdf(grid), grid))


def simulated(
    rng: np.random.Generator, n_sources: int, *, uneven: bool = False
) -> tuple[np.ndarray, ...]:
    """Return log10 LRs, whether linked, both sources and both profiles of all pairs."""
    sizes = np.full(n_sources, PROFILES)
    if uneven:
        sizes[:] = FEW_PROFILES
        sizes[::ONE_OF] = MANY_PROFILES
    source = np.repeat(np.arange(n_sources, dtype=np.int32), sizes)
    place = rng.standard_normal(n_sources)[source] + WITHIN * rng.standard_normal(len(source))
    i, j = np.triu_indices(len(source), k=1)
    return log10_lr(place[i], place[j]), source[i] == source[j], source[i], source[j], i, j


def sample_of(values: np.ndarray, linked: np.ndarray, *rest: np.ndarray) -> PairSample:
    """Return a pair sample; minus the log10 LR is a distance."""
    a, b, i, j = rest
    source = np.empty(int(j.max()) + 1, dtype=np.int32)
    source[i], source[j] = a, b
    return PairSample(
        scores=-values,
        linked=linked,
        first=i.astype(np.int32),
        second=j.astype(np.int32),
        source=source,
        sources=tuple(str(k) for k in range(int(b.max()) + 1)),
        rule=RULE,
        metric=get_metric("euclidean"),
        n_undecided=0,
        n_undefined=0,
        n_same_specimen=0,
        left_out={},
    )


def held(
    n_sources: int,
    n_resamples: int,
    n_refitted: int,
    truth: dict[str, float],
    uneven: bool,
    seed: int,
) -> list[float]:
    """Simulate once: 1 where an interval holds the truth or a promise is kept, else 0.

    NaN for figures that refit PAV to every resample, from the seed `n_refitted` on.
    """
    warnings.simplefilter("ignore", SmallSampleWarning)
    rng = np.random.default_rng([n_sources, seed])
    values, linked, *rest = simulated(rng, n_sources, uneven=uneven)
    sample = sample_of(values, linked, *rest)
    separation = measure_discrimination(sample, rng=rng, n_resamples=n_resamples)
    weights = source_weights(n_sources, n_resamples, rng)
    intervals: dict[str, Interval | None] = {
        "AUC": separation.auc_interval,
        "equal error rate": separation.equal_error_interval,
    }
    for name, rate in zip(INTERVALS[2:], FALSE_RATES, strict=False):
        at = int(np.argmin(np.abs(separation.rates - rate)))
        intervals[name] = Interval(float(separation.band_low[at]), float(separation.band_high[at]))
    for name, (side, cut) in SHARES.items():
        intervals[name] = rate_interval(sample, values >= cut, weights, linked=side)
    if seed >= n_refitted:
        plain, kept = without_refits(values, linked, rest[0], rest[1], rng, n_resamples)
        band = [np.nan, np.nan]
    else:
        plain, kept, band = with_refits(values, linked, rest[0], rest[1], rng, n_resamples)
    intervals |= plain
    out = []
    for name in INTERVALS:
        one = intervals.get(name)
        missing = np.nan if name in REFITTED and seed >= n_refitted else 0.0
        out.append(missing if one is None else float(one.low <= truth[name] <= one.high))
    return [*out, *kept, *band]


def with_refits(
    values: np.ndarray,
    linked: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    rng: np.random.Generator,
    n_resamples: int,
) -> tuple[dict[str, Interval | None], list[float], list[float]]:
    """Return intervals, promises kept, and how much of the identity lies within the PAV band."""
    found = measure_performance(
        values, linked, source_a=a, source_b=b, rng=rng, n_resamples=n_resamples, levels=LEVELS
    )
    curve = found.pav_curve
    low, high = np.asarray(curve.low), np.asarray(curve.high)
    inside = (low <= curve.log10_lr) & (curve.log10_lr <= high)
    at = int(np.argmin(np.abs(curve.log10_lr)))
    intervals = {
        "Cllr": found.cllr.interval,
        "Cllr_min": found.cllr_min.interval,
        "Cllr_cal": found.cllr_cal.interval,
        "linked pairs with LR < 1": found.misleading_linked.interval,
        "unlinked pairs with LR > 1": found.misleading_unlinked.interval,
    }
    kept = [float(bool(e.kept)) for e in found.exceedances if not e.linked]
    return intervals, kept, [float(inside.mean()), float(inside[at])]


def without_refits(
    values: np.ndarray,
    linked: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    rng: np.random.Generator,
    n_resamples: int,
) -> tuple[dict[str, Interval | None], list[float]]:
    """Return the same as `measure_performance` for figures that need no PAV fit, in less time."""
    pairs = pairs_of_sources(linked, a, b)
    draws = draw_sources(pairs, n_resamples, rng)
    intervals: dict[str, Interval | None] = {}
    drawn, observed = np.zeros(draws.n_draws), 0.0
    kept: list[float] = []
    for side, name in ((True, INTERVALS[-2]), (False, INTERVALS[-1])):
        toward = values[linked == side] * (1.0 if side else -1.0)
        cost = np.logaddexp2(0.0, -toward * np.log2(10.0))
        steps = np.array([0.0, STRONG_LOG10_LR, *np.log10(LEVELS)])
        # An LR of exactly 1 misleads nobody, and one of exactly k reaches k.
        flags = [toward < 0.0, *(toward <= -step for step in steps[1:])]
        means = draws.means([cost, *flags], linked=side)
        drawn, observed = drawn + means[0] / 2.0, observed + float(cost.mean()) / 2.0
        rates, which = np.array([flag.mean() for flag in flags]), linked == side
        ends = rate_band(
            means[1:].T,
            rates,
            n_sources=effective_sources(pairs.source_a[which], pairs.source_b[which]),
            units=independent_pairs(pairs, linked=side),
            n_pairs=len(toward),
        )
        low, high = falling(*ends, steps)
        intervals[name] = Interval(float(low[0]), float(high[0]))
        if not side:
            kept = (low[2:] <= 1.0 / np.array(LEVELS)).astype(float).tolist()
    intervals["Cllr"] = interval_of(drawn, observed)
    return intervals, kept


def coverage(
    n_sources: int,
    repetitions: int,
    n_resamples: int,
    *,
    n_refitted: int | None = None,
    workers: int = 1,
    truth: dict[str, float] | None = None,
    uneven: bool = False,
) -> dict[str, float]:
    """Return the share of repetitions in which each interval held the truth.

    Parameters
    ----------
    n_sources : int
        Batches, every one with linked pairs.
    repetitions : int
        Simulations.
    n_resamples : int
        Of every interval.
    n_refitted : int, optional
        Simulations for figures that refit PAV to every resample; by default all of them.
    workers : int
        Processes; 1 for this one alone.
    truth : dict, optional
        From `truths`.
    uneven : bool
        Whether one batch of a dozen has far more profiles than the others.
    """
    refitted = repetitions if n_refitted is None else n_refitted
    known = truths() if truth is None else truth
    one = partial(held, n_sources, n_resamples, refitted, known, uneven)
    if workers == 1:
        rows = [one(seed) for seed in range(repetitions)]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            rows = list(pool.map(one, range(repetitions), chunksize=10))
    means = np.nanmean(rows, axis=0).tolist()
    return dict(zip((*INTERVALS, *PROMISES), means, strict=True))


def worth(n_sources: int, repetitions: int, n_resamples: int) -> dict[str, float]:
    """Return the medians, over repetitions, of what so many batches tell.

    Parameters
    ----------
    n_sources, repetitions, n_resamples : int
        As in `coverage`.
    """
    warnings.simplefilter("ignore", SmallSampleWarning)
    rows = []
    for seed in range(repetitions):
        rng = np.random.default_rng([n_sources, seed])
        values, linked, *rest = simulated(rng, n_sources)
        found = measure_performance(
            values, linked, source_a=rest[0], source_b=rest[1], rng=rng, n_resamples=n_resamples
        )
        bounds = elub(values, linked, source_a=rest[0], source_b=rest[1])
        by_pairs = elub(values, linked)
        figures = (found.cllr, found.misleading_linked, found.misleading_unlinked)
        widths = [x.interval.high - x.interval.low for x in figures if x.interval is not None]
        rows.append([bounds.low, bounds.high, by_pairs.low, by_pairs.high, *widths])
    return dict(zip(WORTH, np.median(rows, axis=0).tolist(), strict=True))


def binomial(share: float, n: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share of n."""
    hits = round(share * n)
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(0.975, hits + 1, n - hits))
    return low, high


def head(found: Iterable[int]) -> str:
    """Return the first two lines of a table."""
    names = [f"{n} sources" for n in found]
    return f"| | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"


def table(found: dict[int, dict[str, float]], repetitions: int, n_refitted: int) -> str:
    """Return the table as text, in Markdown."""
    lines = [head(found).rstrip("\n")]
    for name in (*INTERVALS, *PROMISES):
        cells = []
        for one in found.values():
            low, high = binomial(one[name], n_refitted if name in REFITTED else repetitions)
            cells.append(f"{100 * one[name]:.1f} ({100 * low:.1f}-{100 * high:.1f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--refitted", type=int, help="repetitions that refit PAV; default: all")
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--sources", type=int, nargs="+", default=[10, 20, 30, 60, 100])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="100 repetitions of 20 and 60 sources")
    parser.add_argument("--uneven", action="store_true", help="batches of very unequal size")
    parser.add_argument("--worth", action="store_true", help="what so many batches tell")
    parser.add_argument("--json", type=Path, help="where to keep the shares")
    options = parser.parse_args(arguments)
    repetitions, sources = options.repetitions, options.sources
    if options.quick:
        repetitions, sources = 100, [20, 60]
    refitted = repetitions if options.refitted is None else min(options.refitted, repetitions)
    if options.worth:
        told = {n: worth(n, repetitions, options.resamples) for n in sources}
        sys.stdout.write(head(told))
        for name in WORTH:
            cells = " | ".join(f"{one[name]:.2f}" for one in told.values())
            sys.stdout.write(f"| {name} | {cells} |\n")
        return
    truth = truths()
    found: dict[int, dict[str, float]] = {}
    for n in sources:
        found[n] = coverage(
            n,
            repetitions,
            options.resamples,
            n_refitted=refitted,
            workers=options.workers,
            truth=truth,
            uneven=options.uneven,
        )
        sys.stderr.write(f"{n} sources done\n")
        if options.json is not None:
            kept = {
                "repetitions": repetitions,
                "refitted": refitted,
                "resamples": options.resamples,
                "truth": truth,
            }
            text = json.dumps(kept | {"shares": {str(k): v for k, v in found.items()}}, indent=1)
            options.json.write_text(text + "\n", encoding="utf-8", newline="\n")
    sys.stdout.write(table(found, repetitions, refitted))


if __name__ == "__main__":
    main()

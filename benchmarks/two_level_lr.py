"""The feature-based likelihood ratio, side by side with the long way and with the package lir.

Run it with ``python benchmarks/two_level_lr.py``; ``--with-lir`` adds lir where it is installed
beside drugsig (it needs Python 3.12 and an environment of its own). Every pair of contenders is
timed in turn, A B A B ..., so that a machine whose speed drifts slows both; the ratios are what to
quote. What is timed is everything from replicates to LRs, the densities of the items included.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from drugsig.evidence.two_level import TwoLevelModel, fit_two_level

REPLICATES = 3


@dataclass(frozen=True)
class Work:
    """A background, and pairs of new items."""

    values: np.ndarray
    sources: list[str]
    measured: np.ndarray
    items: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def fit(self, between: str) -> TwoLevelModel:
        """Return the model of the background."""
        return fit_two_level(
            self.values,
            self.sources,
            replicate_level="unit",
            between=between,
            conventions="lir_1.8_TwoLevelModelNormalKDE",
        )

    def pairs(self, model: TwoLevelModel) -> np.ndarray:
        """Return the LRs of all pairs at once."""
        return model.log10_lr_pairs(self.measured, self.items, self.first, self.second)

    def long_way(self, model: TwoLevelModel, n: int) -> np.ndarray:
        """Return the LRs of the first n pairs one by one."""
        return np.array(
            [
                model.terms(self.measured[self.items == a], self.measured[self.items == b]).log10_lr
                for a, b in zip(self.first[:n], self.second[:n], strict=True)
            ]
        )


def made(n_sources: int, n_targets: int, n_pairs: int, *, mixed: bool = False) -> Work:
    """Draw a background and items of one, or of one to four, replicates."""
    rng = np.random.default_rng(n_sources)
    means = rng.normal(size=(n_sources, n_targets))
    values = np.repeat(means, REPLICATES, axis=0)
    values += rng.normal(scale=0.2, size=values.shape)
    n_items = 2000
    items = np.repeat(np.arange(n_items), np.resize(np.arange(1, 5), n_items) if mixed else 1)
    centres = means[rng.integers(0, n_sources, n_items)]
    measured = centres[items] + rng.normal(scale=0.2, size=(len(items), n_targets))
    first = rng.integers(0, n_items, n_pairs)
    second = (first + rng.integers(1, n_items, n_pairs)) % n_items
    sources = [f"s{k // REPLICATES:05d}" for k in range(len(values))]
    return Work(values, sources, measured, items, first, second)


def in_turn(contenders: list[Callable[[], object]], runs: int) -> list[list[float]]:
    """Return the seconds of each contender in each run, timed in turn."""
    seconds: list[list[float]] = [[] for _ in contenders]
    for contender in contenders:
        contender()
    for _ in range(runs):
        for took, contender in zip(seconds, contenders, strict=True):
            start = time.perf_counter()
            contender()
            took.append(time.perf_counter() - start)
    return seconds


def show(what: str, seconds: list[float], n: int) -> None:
    each = statistics.median(seconds) / n
    best = min(seconds) / n
    unit, scale = ("ns", 1e9) if each < 1e-6 else ("us", 1e6)
    print(f"{what:58} {each * scale:9.1f} {unit} a pair (best {best * scale:.1f})")


def against_the_long_way(between: str, n_sources: int, n_targets: int, runs: int) -> None:
    """Time a model on pairs of one replicate each, and the long way on a few of them."""
    n_pairs, few = (1_000_000, 50) if between == "normal" else (20_000, 20)
    work = made(n_sources, n_targets, n_pairs)
    model = work.fit(between)
    fast, slow = in_turn([lambda: work.pairs(model), lambda: work.long_way(model, few)], runs)
    assert np.allclose(work.pairs(model)[:few], work.long_way(model, few), rtol=1e-9, atol=1e-10)
    what = f"{between}, {n_targets} targets, {n_sources} sources"
    show(what, fast, n_pairs)
    ratio = statistics.median(b / few / (a / n_pairs) for a, b in zip(fast, slow, strict=True))
    show(f"    one by one, matrices in target space; {ratio:.0f} times", slow, few)
    many = made(n_sources, n_targets, n_pairs, mixed=True)
    show("    one to four replicates", in_turn([lambda: many.pairs(model)], runs)[0], n_pairs)


def without_both_sources(n_sources: int, n_targets: int, runs: int) -> None:
    """Time leaving out the two sources of a pair against fitting the others again."""
    work = made(n_sources, n_targets, 10)
    model = work.fit("kernel")
    kept = [s not in ("s00003", "s00005") for s in work.sources]
    values, sources = work.values[kept], [s for s in work.sources if s not in ("s00003", "s00005")]
    less, again = in_turn(
        [
            lambda: model.without(["s00003", "s00005"]),
            lambda: fit_two_level(
                values,
                sources,
                replicate_level="unit",
                conventions="lir_1.8_TwoLevelModelNormalKDE",
            ),
        ],
        runs,
    )
    a, b = statistics.median(less), statistics.median(again)
    print(f"{f'without both sources, {n_sources} sources / fitting again':58} "
          f"{a * 1e6:9.0f} us / {b * 1e6:.0f} us")  # fmt: skip


def against_lir(n_sources: int, n_targets: int, runs: int) -> None:
    """Time lir on the same pairs, and check that it says the same."""
    try:
        from lir.lrsystems.two_level import TwoLevelModelNormalKDE
    except ImportError as error:
        print(f"lir is not installed beside drugsig: skipped ({error})")
        return
    few = 200
    work = made(n_sources, n_targets, few)
    model = work.fit("kernel")
    theirs = TwoLevelModelNormalKDE().fit_on_unpaired_instances(work.values, np.array(work.sources))
    a, b = work.measured[work.first][:, None, :], work.measured[work.second][:, None, :]
    many = made(n_sources, n_targets, 20_000)
    fast, slow = in_turn([lambda: many.pairs(model), lambda: theirs.transform(b, a)], runs)
    found, expected = work.pairs(model), np.ravel(theirs.transform(b, a))
    held = np.isfinite(expected)
    assert np.allclose(found[held], expected[held], rtol=1e-6, atol=1e-6)
    show(f"kernel, {n_targets} targets, {n_sources} sources", fast, 20_000)
    ratio = statistics.median(y / few / (x / 20_000) for x, y in zip(fast, slow, strict=True))
    show(f"    lir, same model; {ratio:.0f} times, {int((~held).sum())} not finite", slow, few)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=8)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--with-lir", action="store_true")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    for between in ("normal", "kernel"):
        for n_sources in (200, 2000):
            against_the_long_way(between, n_sources, options.targets, options.runs)
    for n_sources in (200, 2000):
        without_both_sources(n_sources, options.targets, options.runs)
    if options.with_lir:
        against_lir(160, 4, options.runs)
        against_lir(2000, options.targets, options.runs)


if __name__ == "__main__":
    main()

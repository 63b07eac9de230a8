"""Every metric by its formula, one pair and one number at a time: slow, but easy to check.

`usable` gives any registered metric in a form that scores profiles with targets t0, t1 ...; those
that need fitting are fitted to simulated profiles of known source.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from drugsig import METRICS, ProfileSet
from drugsig.comparison import Metric
from drugsig.comparison.combining import MetricBlock, combine_metrics
from drugsig.comparison.fitting import fit_metric
from drugsig.errors import DrugsigWarning

NAN = float("nan")

Row = list[float]


def shared(a: Row, b: Row) -> list[tuple[float, float]]:
    """Return the pairs of values of the targets measured in both; NaN stands for a gap."""
    return [(x, y) for x, y in zip(a, b, strict=True) if not (math.isnan(x) or math.isnan(y))]


def correlation(pairs: list[tuple[float, float]]) -> float:
    n = len(pairs)
    mean_a, mean_b = (math.fsum(column) / n for column in zip(*pairs, strict=True))
    ab = math.fsum((x - mean_a) * (y - mean_b) for x, y in pairs)
    aa = math.fsum((x - mean_a) ** 2 for x, _ in pairs)
    bb = math.fsum((y - mean_b) ** 2 for _, y in pairs)
    return ab / math.sqrt(aa * bb) if aa and bb else NAN


def ranks(values: Row) -> Row:
    return [sum(y < x for y in values) + (1 + sum(y == x for y in values)) / 2 for x in values]


def pearson(a: Row, b: Row) -> float:
    pairs = shared(a, b)
    constant = any(len(set(column)) == 1 for column in zip(*pairs, strict=True))
    return NAN if constant or not pairs else correlation(pairs)


def spearman(a: Row, b: Row) -> float:
    pairs = shared(a, b)
    if not pairs:
        return NAN
    first, second = (ranks(list(column)) for column in zip(*pairs, strict=True))
    return pearson(first, second)


def cosine(a: Row, b: Row) -> float:
    pairs = shared(a, b)
    aa, bb = math.fsum(x * x for x, _ in pairs), math.fsum(y * y for _, y in pairs)
    return math.fsum(x * y for x, y in pairs) / math.sqrt(aa * bb) if aa and bb else NAN


def scaled_up(total: float, used: int, all_targets: int) -> float:
    return total * all_targets / used if used else NAN


def euclidean(a: Row, b: Row) -> float:
    pairs = shared(a, b)
    return math.sqrt(scaled_up(math.fsum((x - y) ** 2 for x, y in pairs), len(pairs), len(a)))


def manhattan(a: Row, b: Row) -> float:
    pairs = shared(a, b)
    return scaled_up(math.fsum(abs(x - y) for x, y in pairs), len(pairs), len(a))


def canberra(a: Row, b: Row) -> float:
    pairs = shared(a, b)
    terms = [abs(x - y) / (abs(x) + abs(y)) for x, y in pairs if x or y]
    return scaled_up(math.fsum(terms), len(pairs), len(a))


def canberra_r(a: Row, b: Row) -> float:
    terms = [abs(x - y) / (abs(x) + abs(y)) for x, y in shared(a, b) if x or y]
    return scaled_up(math.fsum(terms), len(terms), len(a))


def bray_curtis(a: Row, b: Row) -> float:
    pairs = shared(a, b)
    size = math.fsum(x + y for x, y in pairs)
    return math.fsum(abs(x - y) for x, y in pairs) / size if size else NAN


def aitchison(a: Row, b: Row) -> float:
    pairs = shared(a, b)
    if not pairs or min(min(pair) for pair in pairs) <= 0:
        return NAN
    logs = [(math.log(x), math.log(y)) for x, y in pairs]
    mean_a, mean_b = (math.fsum(column) / len(logs) for column in zip(*logs, strict=True))
    total = math.fsum(((x - mean_a) - (y - mean_b)) ** 2 for x, y in logs)
    return math.sqrt(scaled_up(total, len(pairs), len(a)))


def quotient(a: Row, b: Row) -> float:
    terms = [min(x, y) / max(x, y) for x, y in shared(a, b) if x or y]
    return math.fsum(terms) / len(terms) if terms else NAN


def peaks_in_common(a: Row, b: Row) -> float:
    in_a = {k for k, (x, y) in enumerate(zip(a, b, strict=True)) if x > 0 and not math.isnan(y)}
    in_b = {k for k, (x, y) in enumerate(zip(a, b, strict=True)) if y > 0 and not math.isnan(x)}
    return len(in_a & in_b) / len(in_a | in_b) if in_a | in_b else NAN


ORACLES: dict[str, Callable[[Row, Row], float]] = {
    "pearson": pearson,
    "pearson_distance": lambda a, b: 1 - pearson(a, b),
    "pearson_distance_half": lambda a, b: (1 - pearson(a, b)) / 2,
    "pearson_distance_percent": lambda a, b: 50 * (1 - pearson(a, b)),
    "spearman": spearman,
    "spearman_distance": lambda a, b: 1 - spearman(a, b),
    "spearman_distance_half": lambda a, b: (1 - spearman(a, b)) / 2,
    "spearman_distance_percent": lambda a, b: 50 * (1 - spearman(a, b)),
    "cosine": cosine,
    "cosine_distance": lambda a, b: 1 - cosine(a, b),
    "squared_cosine": lambda a, b: 100 * cosine(a, b) ** 2,
    "squared_cosine_distance": lambda a, b: 100 - 100 * cosine(a, b) ** 2,
    "euclidean": euclidean,
    "manhattan": manhattan,
    "canberra": canberra,
    "canberra_r": canberra_r,
    "bray_curtis": bray_curtis,
    "aitchison": aitchison,
    "quotient": quotient,
    "quotient_distance": lambda a, b: 1 - quotient(a, b),
    "peaks_in_common": peaks_in_common,
    "peaks_in_common_distance": lambda a, b: 1 - peaks_in_common(a, b),
}


# -- metrics that carry numbers --------------------------------------------------------------------


def known(p: int, *, n_sources: int = 50, n: int = 3, seed: int = 0) -> ProfileSet:
    """Return simulated profiles of known source, with correlated variation within a source."""
    rng = np.random.default_rng(seed)
    centres = rng.gamma(2.0, 3.0, (n_sources, p))
    shared_part = rng.normal(size=(n_sources * n, 1))
    spread = 0.5 + 0.2 * np.arange(p)
    values = np.repeat(centres, n, axis=0) + spread * (
        rng.normal(size=(n_sources * n, p)) + 0.7 * shared_part
    )
    return ProfileSet(
        np.abs(values),
        [f"t{k}" for k in range(p)],
        {
            "profile_id": [f"k{k}" for k in range(len(values))],
            "batch_id": [f"batch {k // n}" for k in range(len(values))],
        },
    )


@lru_cache
def usable(name: str, p: int) -> Metric:
    """Return the metric, fitted if it needs to be, for p targets t0, t1 ..."""
    if not METRICS[name].needs_fit:
        return METRICS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        if name == "combined":
            names = [f"t{k}" for k in range(p)]
            return combine_metrics(
                {
                    "first": MetricBlock(names[:2], "euclidean", weight=3.0, scale=2.0),
                    "rest": MetricBlock(names[2:], "bray_curtis", scale=0.5),
                },
                known(p),
            )
        return fit_metric(name, known(p), source="batch_id")


def accepts(metric: Metric, profiles: ProfileSet) -> bool:
    """Say whether profiles are not refused; an error names why."""
    metric.check(profiles)
    return True


def within_sd(metric: Metric) -> Callable[[Row, Row], float]:
    assert metric.fit is not None
    k, deviations = (metric.fit.parameters[key] for key in ("k", "deviations"))

    def score(a: Row, b: Row) -> float:
        near = [
            abs(x - y) <= k * s
            for x, y, s in zip(a, b, deviations, strict=True)
            if not math.isnan(x + y)
        ]
        return sum(near) / len(near) if near else NAN

    return score


def mahalanobis(metric: Metric) -> Callable[[Row, Row], float]:
    assert metric.fit is not None
    covariance = np.array(metric.fit.parameters["covariance"])

    def score(a: Row, b: Row) -> float:
        difference = np.array(a) - np.array(b)
        used = ~np.isnan(difference)
        if not used.any():
            return NAN
        inverse = np.linalg.inv(covariance[np.ix_(used, used)])
        square = float(difference[used] @ inverse @ difference[used])
        return math.sqrt(scaled_up(square, int(used.sum()), len(a)))

    return score


def combined(metric: Metric) -> Callable[[Row, Row], float]:
    assert metric.fit is not None
    blocks = metric.fit.parameters["blocks"]

    def score(a: Row, b: Row) -> float:
        total = weight = 0.0
        for block in blocks:
            first, second = ([row[k] for k in block["places"]] for row in (a, b))
            if len(shared(first, second)) < block["least"]:
                continue
            entry = METRICS[block["metric"]["name"]]
            distance = ORACLES[entry.name](first, second)
            if math.isnan(distance) and not any(x or y for x, y in shared(first, second)):
                continue
            if entry.is_similarity:
                distance = entry.self_value - distance
            total += block["weight"] * distance / block["scale"]
            weight += block["weight"]
        return total / weight if weight else NAN

    return score


FITTED_ORACLES: dict[str, Callable[[Metric], Callable[[Row, Row], float]]] = {
    "combined": combined,
    "mahalanobis": mahalanobis,
    "within_sd": within_sd,
}


def oracle_of(name: str, p: int) -> Callable[[Row, Row], float]:
    """Return the formula of a metric for p targets."""
    return ORACLES[name] if name in ORACLES else FITTED_ORACLES[name](usable(name, p))

"""Every metric by its formula, one pair and one number at a time: slow, but easy to check."""

from __future__ import annotations

import math
from collections.abc import Callable

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
}

"""Every metric in exact arithmetic, on the numbers as a table writes them.

Sixty digits stand for exact: what is equal there is equal. `treated` applies recipe steps to
decimal text, `EXACT` scores two treated profiles, and `size_of` says what the slack is a share of.
None stands for a target that was not measured, and for a score that is undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext
from typing import Any

from drugsig import METRICS
from drugsig.comparison import Metric

Cell = Decimal | None
Row = Sequence[Cell]
Pairs = list[tuple[Decimal, Decimal]]

DIGITS = 60
SLACK = Decimal("1e-12")

# What differs by less is the same number, computed in two ways with sixty digits.
SAME = Decimal("1e-50")


def exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a function with sixty digits."""

    def run(*args: Any, **options: Any) -> Any:
        with localcontext(Context(prec=DIGITS)):
            return function(*args, **options)

    return run


def as_cells(texts: Sequence[str]) -> list[Cell]:
    return [None if text == "" else Decimal(text) for text in texts]


# -- pretreatment ----------------------------------------------------------------------------------


def _sum(row: Row) -> list[Cell]:
    total = sum((x for x in row if x is not None), Decimal(0))
    return [None if x is None else x / total for x in row]


def _root(times: int) -> Callable[[Row], list[Cell]]:
    def take(row: Row) -> list[Cell]:
        out = list(row)
        for _ in range(times):
            out = [None if x is None else x.sqrt() for x in out]
        return out

    return take


def _log10_add(add: str) -> Callable[[Row], list[Cell]]:
    return lambda row: [None if x is None else (x + Decimal(add)).log10() for x in row]


def _log10_scale(scale: str) -> Callable[[Row], list[Cell]]:
    return lambda row: [None if x is None else (1 + Decimal(scale) * x).log10() for x in row]


def _clr(row: Row) -> list[Cell]:
    logs = [x.ln() for x in row if x is not None]
    mean = sum(logs, Decimal(0)) / len(logs)
    return [x - mean for x in logs]


def _pairwise(row: Row) -> list[Cell]:
    logs = [x.ln() for x in row if x is not None]
    return [logs[j] - logs[k] for j in range(len(logs)) for k in range(j + 1, len(logs))]


STEPS: dict[str, Callable[[Row], list[Cell]]] = {
    "sum": _sum,
    "square_root": _root(1),
    "fourth_root": _root(2),
    "log10(add=0.1)": _log10_add("0.1"),
    "log10(scale=1000)": _log10_scale("1000"),
    "clr": _clr,
    "pairwise_log_ratios": _pairwise,
}


@exactly
def treated(row: Row, recipe: str) -> list[Cell]:
    """Apply the steps of a recipe, those of `STEPS`, to one profile."""
    out = list(row)
    for step in recipe.split(" | ") if recipe else ():
        out = STEPS[step](out)
    return out


# -- scores ----------------------------------------------------------------------------------------


def _shared(a: Row, b: Row) -> Pairs:
    return [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]


def _total(numbers: Any) -> Decimal:
    return sum(numbers, Decimal(0))


def _cosine(pairs: Pairs) -> Cell:
    aa, bb = _total(x * x for x, _ in pairs), _total(y * y for _, y in pairs)
    return _total(x * y for x, y in pairs) / (aa * bb).sqrt() if aa and bb else None


def _correlation(pairs: Pairs) -> Cell:
    n = len(pairs)
    if not n or any(len(set(column)) == 1 for column in zip(*pairs, strict=True)):
        return None
    mean_a, mean_b = (_total(column) / n for column in zip(*pairs, strict=True))
    return _cosine([(x - mean_a, y - mean_b) for x, y in pairs])


def _ranks(values: Sequence[Decimal]) -> list[Decimal]:
    def below(x: Decimal) -> int:
        return sum(y < x - SAME for y in values)

    def same(x: Decimal) -> int:
        return sum(abs(y - x) <= SAME for y in values)

    return [below(x) + Decimal(1 + same(x)) / 2 for x in values]


def _pearson(a: Row, b: Row) -> Cell:
    return _correlation(_shared(a, b))


def _spearman(a: Row, b: Row) -> Cell:
    pairs = _shared(a, b)
    if not pairs:
        return None
    return _correlation(
        list(zip(*(_ranks(column) for column in zip(*pairs, strict=True)), strict=True))
    )


def _angle(a: Row, b: Row) -> Cell:
    return _cosine(_shared(a, b))


def _squared_angle(a: Row, b: Row) -> Cell:
    pairs = _shared(a, b)
    aa, bb = _total(x * x for x, _ in pairs), _total(y * y for _, y in pairs)
    return _total(x * y for x, y in pairs) ** 2 / (aa * bb) if aa and bb else None


def _scaled_up(total: Decimal, used: int, p: int) -> Cell:
    return total * p / used if used else None


def _euclidean(a: Row, b: Row) -> Cell:
    pairs = _shared(a, b)
    square = _scaled_up(_total((x - y) ** 2 for x, y in pairs), len(pairs), len(a))
    return None if square is None else square.sqrt()


def _manhattan(a: Row, b: Row) -> Cell:
    pairs = _shared(a, b)
    return _scaled_up(_total(abs(x - y) for x, y in pairs), len(pairs), len(a))


def _canberra(a: Row, b: Row) -> Cell:
    pairs = _shared(a, b)
    terms = [abs(x - y) / (abs(x) + abs(y)) for x, y in pairs if x or y]
    return _scaled_up(_total(terms), len(pairs), len(a))


def _canberra_r(a: Row, b: Row) -> Cell:
    terms = [abs(x - y) / (abs(x) + abs(y)) for x, y in _shared(a, b) if x or y]
    return _scaled_up(_total(terms), len(terms), len(a))


def _bray_curtis(a: Row, b: Row) -> Cell:
    pairs = _shared(a, b)
    size = _total(x + y for x, y in pairs)
    return _total(abs(x - y) for x, y in pairs) / size if size else None


def _aitchison(a: Row, b: Row) -> Cell:
    pairs = _shared(a, b)
    if not pairs or min(min(pair) for pair in pairs) <= 0:
        return None
    first, second = (_clr(column) for column in zip(*pairs, strict=True))
    gaps = [None] * (len(a) - len(pairs))
    return _euclidean([*first, *gaps], [*second, *gaps])


def _quotient(a: Row, b: Row) -> Cell:
    terms = [min(x, y) / max(x, y) for x, y in _shared(a, b) if x or y]
    return _total(terms) / len(terms) if terms else None


def _peaks_in_common(a: Row, b: Row) -> Cell:
    pairs = _shared(a, b)
    either = sum(x > 0 or y > 0 for x, y in pairs)
    return Decimal(sum(x > 0 and y > 0 for x, y in pairs)) / either if either else None


def _within_sd(metric: Metric, a: Row, b: Row) -> Cell:
    k, deviations = (_parameters(metric)[key] for key in ("k", "deviations"))
    near = [
        abs(x - y) <= Decimal(k) * Decimal(s) + SLACK * (abs(x) + abs(y)) / 2
        for x, y, s in zip(a, b, deviations, strict=True)
        if x is not None and y is not None
    ]
    return Decimal(sum(near)) / len(near) if near else None


def _mahalanobis(metric: Metric, a: Row, b: Row) -> Cell:
    covariance = _parameters(metric)["covariance"]
    used = [k for k, (x, y) in enumerate(zip(a, b, strict=True)) if x is not None and y is not None]
    if not used:
        return None
    part = [[Decimal(covariance[j][k]) for k in used] for j in used]
    difference = [a[k] - b[k] for k in used]  # type: ignore[operator]
    square = _scaled_up(_total(z * z for z in _whitened(part, difference)), len(used), len(a))
    return None if square is None else square.sqrt()


def _whitened(matrix: list[list[Decimal]], x: Sequence[Decimal]) -> list[Decimal]:
    """Return z with ``L z = x``, L the lower triangular factor of the matrix."""
    n = len(matrix)
    factor = [[Decimal(0)] * n for _ in range(n)]
    out: list[Decimal] = []
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i][j] - _total(factor[i][k] * factor[j][k] for k in range(j))
            factor[i][j] = rest.sqrt() if i == j else rest / factor[j][j]
        out.append((x[i] - _total(factor[i][k] * out[k] for k in range(i))) / factor[i][i])
    return out


def _combined(metric: Metric, a: Row, b: Row) -> Cell:
    total = weight = Decimal(0)
    for block in _parameters(metric)["blocks"]:
        first, second = ([row[k] for k in block["places"]] for row in (a, b))
        pairs = _shared(first, second)
        if len(pairs) < block["least"]:
            continue
        member = METRICS[block["metric"]["name"]]
        distance = score(member, first, second)
        if distance is None and not any(x or y for x, y in pairs):
            continue
        if distance is None:
            return None
        if member.is_similarity:
            distance = Decimal(member.self_value) - distance
        total += Decimal(block["weight"]) * distance / Decimal(block["scale"])
        weight += Decimal(block["weight"])
    return total / weight if weight else None


def _parameters(metric: Metric) -> Any:
    assert metric.fit is not None
    return metric.fit.parameters


# The coefficient behind a name, and the number that a convention takes it from and multiplies by.
PLAIN: dict[str, Callable[[Row, Row], Cell]] = {
    "pearson": _pearson,
    "spearman": _spearman,
    "cosine": _angle,
    "squared_cosine": _squared_angle,
    "euclidean": _euclidean,
    "manhattan": _manhattan,
    "canberra": _canberra,
    "canberra_r": _canberra_r,
    "bray_curtis": _bray_curtis,
    "aitchison": _aitchison,
    "quotient": _quotient,
    "peaks_in_common": _peaks_in_common,
}
FITTED: dict[str, Callable[[Metric, Row, Row], Cell]] = {
    "within_sd": _within_sd,
    "mahalanobis": _mahalanobis,
    "combined": _combined,
}


def _converted(name: str, value: Decimal) -> Decimal:
    if name == "squared_cosine":
        return 100 * value
    if name == "squared_cosine_distance":
        return 100 - 100 * value
    if name.endswith("_distance"):
        return 1 - value
    if name.endswith("_half"):
        return (1 - value) / 2
    if name.endswith("_percent"):
        return 50 * (1 - value)
    return value


@exactly
def score(metric: Metric, a: Row, b: Row) -> Cell:
    """Return the score of two treated profiles; None where it is undefined."""
    used = len(_shared(a, b))
    if used < metric.min_measured:
        return None
    if metric.name in FITTED:
        return FITTED[metric.name](metric, a, b)
    stem = metric.name.split("_distance")[0]
    value = PLAIN[metric.name if metric.name in PLAIN else stem](a, b)
    return None if value is None else _converted(metric.name, value)


# -- slack -----------------------------------------------------------------------------------------


@exactly
def size_of(metric: Metric, a: Row, b: Row) -> Decimal:
    """Return what the slack of the score of two treated profiles is a share of."""
    if metric.is_bounded:
        return Decimal(metric.high) - Decimal(metric.low)
    return _own_size(metric, a) + _own_size(metric, b)


def _own_size(metric: Metric, row: Row) -> Decimal:
    measured = [x for x in row if x is not None]
    if metric.is_bounded:
        return (Decimal(metric.high) - Decimal(metric.low)) / 2
    if metric.name.startswith("canberra"):
        return Decimal(len(row)) / 2
    if metric.name == "aitchison":
        return _total(1 + abs(x.ln()) for x in measured)
    if metric.name == "mahalanobis":
        matrix = [[Decimal(x) for x in line] for line in _parameters(metric)["covariance"]]
        return _total(abs(z) for z in _whitened(matrix, [x or Decimal(0) for x in row]))
    if metric.name == "combined":
        return max(
            _own_size(METRICS[block["metric"]["name"]], [row[k] for k in block["places"]])
            / Decimal(block["scale"])
            for block in _parameters(metric)["blocks"]
        )
    return _total(abs(x) for x in measured)

"""The scores of all pairs as a heat map, in the order of the tree that made the groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.transforms import Affine2D, Transform
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list

from drugsig.comparison.comparison import Comparison
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import largest_size
from drugsig.errors import InputError
from drugsig.evidence.threshold import Threshold
from drugsig.groups.groups import Groups, group_name
from drugsig.plot._style import (
    A4_WIDTH,
    ACCENT,
    INK,
    LABEL_SIZE,
    MUTED,
    Drawing,
    alike_colours,
    new_figure,
    one_path,
    styled,
)
from drugsig.plot.texts import plain, shorten, text_width

__all__ = ["MOST_ROWS", "heat_map", "medoids"]

# More rows are thinner than a printed dot: one representative stands for each group.
MOST_ROWS = 600

_NAMED_ROWS = 50
_NAME_LENGTH = 26


@dataclass(frozen=True)
class _Tree:
    """The part of a tree above some of its leaves; `order` holds places in the profiles."""

    order: NDArray[np.intp]
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def heat_map(
    comparison: Comparison,
    /,
    *,
    groups: Groups | None = None,
    threshold: Threshold | float | None = None,
    width: float = A4_WIDTH,
) -> Drawing:
    """Draw the score of every pair, dark where profiles are alike.

    With groups the profiles stand in the order of their tree, which is drawn beside the map with
    its cut, and every group of two or more is framed. Above 600 profiles the most central
    profile of each group stands for it, and the figure says so.

    Parameters
    ----------
    comparison : Comparison
        Of one set of profiles with each other, or of two sets.
    groups : Groups, optional
        Made from this comparison.
    threshold : Threshold or float, optional
        Scores that meet it are in the dark half of the scale; that of the groups by default.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    InputError
        If no pair has a score, or if the groups are of other profiles or have no tree.
    ThresholdError
        If the threshold lies outside the range of the metric.
    """
    if not np.isfinite(comparison.scores).any() or min(comparison.scores.shape) < 1:
        raise InputError("no pair of these profiles has a score, so there is no heat map to draw")
    metric = comparison.metric
    limit = threshold.value if isinstance(threshold, Threshold) else threshold
    if groups is not None and limit is None:
        limit = groups.threshold
    if limit is not None:
        limit = metric.check_threshold(limit)
    if groups is None:
        return _plain_map(comparison, limit, width)
    if groups.ids != comparison.row_ids or not comparison.symmetric:
        raise InputError(
            f"the groups are of {len(groups.ids)} profiles and the comparison of "
            f"{len(comparison.row_ids)}, or of others. Draw the comparison the groups were made "
            "from."
        )
    if groups.below_cut:
        raise InputError(
            "these groups were clustered below the threshold only and have no tree to draw. Group "
            "the scores of a part of the profiles: drugsig.group(comparison, threshold=...), or "
            "draw the map without groups."
        )
    if len(groups.tree_members) < 2:
        raise InputError(
            "a heat map with its tree needs two profiles that have scores with each other; "
            f"{len(groups.undefined_ids)} of {len(groups.ids)} profiles have none"
        )
    return _grouped_map(comparison, groups, limit, width)


def medoids(comparison: Comparison, groups: Groups, /) -> dict[int, int]:
    """Return the most central profile of every group, as its place in the comparison.

    Central means the least mean distance to the other members; the first of equals, which rounding
    does not tell apart.

    Parameters
    ----------
    comparison : Comparison
        Of the grouped profiles with each other.
    groups : Groups
        The groups.

    Returns
    -------
    dict of int to int
        Group number to place.
    """
    order = np.argsort(groups.labels, kind="stable")
    stops = np.cumsum(groups.sizes)
    out: dict[int, int] = {}
    for number, stop in enumerate(stops, start=1):
        rows = order[stop - groups.sizes[number - 1] : stop]
        apart = comparison.metric.as_distance(comparison.scores[np.ix_(rows, rows)])
        mean = np.where(np.isfinite(apart), apart, np.inf).sum(axis=1)
        least = mean.min()
        slack = comparison.metric.slack(least, largest_size(comparison.row_sizes))
        out[number] = int(rows[np.argmax(mean <= least + len(rows) * slack)])
    return out


def _grouped_map(
    comparison: Comparison, groups: Groups, limit: float | None, width: float
) -> Drawing:
    n_all = len(groups.tree_members)
    shown, note = groups.tree_members, ""
    representative = n_all > MOST_ROWS
    if representative:
        centres = medoids(comparison, groups)
        in_tree = {int(k) for k in groups.tree_members}
        chosen = [k for k in list(centres.values()) if k in in_tree][:MOST_ROWS]
        shown = np.array(chosen, dtype=np.intp)
        what = "group" if len(chosen) == len(groups) else f"group of the largest {len(chosen)}"
        note = f"One row a {what}: its most central profile stands for it ({n_all} profiles)."
    tree = _restricted(groups, shown)
    order = tree.order
    scores = comparison.scores[np.ix_(order, order)]
    labels = groups.labels[order]
    n = len(order)
    if len(groups.undefined_ids):
        lacking = f"{len(groups.undefined_ids)} profiles without any score are left out."
        note = f"{note} {lacking}".strip()
    if representative:
        names = [group_name(int(g)) for g in labels]
    elif n <= _NAMED_ROWS:
        names = [shorten(groups.ids[k], most=_NAME_LENGTH) for k in order]
    else:
        names = []
    right = text_width(names or ["G000"], size=LABEL_SIZE - 1) + 0.12
    tree_width, left, top = 1.05, 0.15, 0.12
    side = width - left - tree_width - right - 0.08
    bottom = 0.95 if note else 0.78
    height = top + side + bottom
    with styled():
        figure = new_figure(width, height)
        across = (left + tree_width + 0.04) / width
        map_axes = figure.add_axes((across, bottom / height, side / width, side / height))
        tree_axes = figure.add_axes(
            (left / width, bottom / height, tree_width / width, side / height)
        )
        shades = _shades(comparison.metric, scores, limit)
        _image(map_axes, scores, shades)
        _draw_tree(tree_axes, tree, groups, n)
        if representative:
            _label_rows(map_axes, np.arange(n), names, side)
        else:
            _frame_groups(map_axes, labels)
            if names:
                _label_rows(map_axes, np.arange(n), names, side)
            else:
                _label_groups(map_axes, labels, side)
        _scale(
            figure, shades, comparison.metric, limit, scores, across, side / width, 0.42 / height
        )
        if note:
            figure.text(left / width, 0.08 / height, note, size=LABEL_SIZE, color=INK)
    return figure


def _plain_map(comparison: Comparison, limit: float | None, width: float) -> Drawing:
    n, m = comparison.scores.shape
    names = [shorten(i, most=_NAME_LENGTH) for i in comparison.row_ids] if n <= _NAMED_ROWS else []
    right = text_width(names, size=LABEL_SIZE - 1) + 0.15
    left, top, bottom = 0.15, 0.12, 0.78
    side = width - left - right
    tall = side * min(1.6, max(0.25, n / m))
    height = top + tall + bottom
    with styled():
        figure = new_figure(width, height)
        axes = figure.add_axes((left / width, bottom / height, side / width, tall / height))
        shades = _shades(comparison.metric, comparison.scores, limit)
        _image(axes, comparison.scores, shades)
        if names:
            _label_rows(axes, np.arange(n), names, tall)
        _scale(
            figure, shades, comparison.metric, limit, comparison.scores,
            left / width, side / width, 0.42 / height,
        )  # fmt: skip
    return figure


def _shades(metric: Metric, scores: NDArray[np.float64], limit: float | None) -> ScalarMappable:
    known = scores[np.isfinite(scores)]
    low, high = float(known.min()), float(known.max())
    if metric.is_similarity:
        high = max(high, metric.self_value)
    else:
        low = min(low, metric.self_value)
    high = max(high, low + 1e-12)
    colours = alike_colours(alike_is_low=not metric.is_similarity, step=limit is not None)
    norm: Normalize = Normalize(low, high)
    if limit is not None:
        # A score equal to the threshold is a link, so it belongs to the dark half.
        loosened = float(metric.loosened(limit, np.asarray(limit)))
        edge = float(np.nextafter(loosened, -np.inf if metric.is_similarity else np.inf))
        span = high - low
        norm = TwoSlopeNorm(
            edge, vmin=min(low, edge - 1e-6 * span), vmax=max(high, edge + 1e-6 * span)
        )
    return ScalarMappable(norm, colours)


def _image(axes: Axes, scores: NDArray[np.float64], shades: ScalarMappable) -> None:
    pixels = shades.to_rgba(np.ma.masked_invalid(scores), bytes=True)
    axes.imshow(pixels, interpolation="none", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)


def _scale(
    figure: Drawing,
    shades: ScalarMappable,
    metric: Metric,
    limit: float | None,
    scores: NDArray[np.float64],
    left: float,
    across: float,
    bottom: float,
) -> None:
    known = scores[np.isfinite(scores)]
    height = 0.11 / figure.get_figheight()
    axes = figure.add_axes((left, bottom, across * 0.62, height))
    bar = figure.colorbar(shades, cax=axes, orientation="horizontal", spacing="uniform")
    ends = [float(known.min()), float(known.max())]
    ends[1 if metric.is_similarity else 0] = metric.self_value
    ticks = sorted({*ends} if limit is None else {*ends, limit})
    bar.set_ticks(ticks, labels=[f"{t:.4g}" for t in ticks])
    bar.outline.set_linewidth(0.5)
    # Labels at the ends stay inside the bar, clear of what is beside it.
    labels = axes.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    axes.tick_params(length=2, pad=2)
    words = "dark = alike" if limit is None else "dark = meets the threshold"
    figure.text(
        left + across * 0.65, bottom + height / 2, f"{metric.name}\n{words}",
        size=LABEL_SIZE, va="center",
    )  # fmt: skip


def _restricted(groups: Groups, shown: NDArray[np.intp]) -> _Tree:
    """Return the tree over some of the profiles; joints with one side not shown are skipped."""
    members = groups.tree_members
    wanted = np.isin(members, shown)
    n = len(members)
    leaves = leaves_list(groups.tree)
    leaves = leaves[wanted[leaves]]
    height_of = np.full(2 * n - 1, np.nan)
    place_of = np.full(2 * n - 1, np.nan)
    place_of[leaves] = np.arange(len(leaves))
    height_of[leaves] = 0.0
    x: list[tuple[float, ...]] = []
    y: list[tuple[float, ...]] = []
    for k, (left, right, height, _) in enumerate(groups.tree):
        a, b, node = int(left), int(right), n + k
        if np.isnan(place_of[a]) or np.isnan(place_of[b]):
            kept = b if np.isnan(place_of[a]) else a
            place_of[node], height_of[node] = place_of[kept], height_of[kept]
            continue
        x.append((height_of[a], height, height, height_of[b]))
        y.append((place_of[a], place_of[a], place_of[b], place_of[b]))
        place_of[node], height_of[node] = (place_of[a] + place_of[b]) / 2.0, height
    empty = np.empty((0, 4))
    return _Tree(
        order=members[leaves],
        x=np.array(x) if x else empty,
        y=np.array(y) if y else empty,
    )


def _draw_tree(axes: Axes, tree: _Tree, groups: Groups, n: int) -> None:
    one_path(axes, tree.x, tree.y, edgecolor=INK, linewidth=0.5 if n > 100 else 0.8)
    cut = float(groups.metric.as_distance(np.asarray(groups.threshold)))
    axes.axvline(cut, color=ACCENT, linestyle=(0, (4, 2)), linewidth=1.1)
    high = max(float(tree.x.max(initial=0.0)), cut) * 1.04 or 1.0
    axes.set_xlim(high, 0.0)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_yticks([])
    similarity = groups.metric.is_similarity
    axes.set_xticks([0.0, cut], [f"{groups.metric.self_value if similarity else 0:.3g}",
                                 f"{groups.threshold:.3g}"])  # fmt: skip
    if cut < 0.3 * high:
        axes.xaxis.get_ticklabels()[0].set_visible(False)
    axes.tick_params(length=2, pad=2)
    axes.set_xlabel(f"{groups.linkage} linkage,\n- - cut at threshold", size=LABEL_SIZE - 0.5)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)


def _runs(labels: NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """Return (label, start, stop) of every run of equal labels."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(labels)]
    return [(int(labels[a]), a, b) for a, b in zip(starts, stops, strict=True)]


def _frame_groups(axes: Axes, labels: NDArray[np.intp]) -> None:
    runs = [(a - 0.5, b - 0.5) for _, a, b in _runs(labels) if b - a > 1]
    if runs:
        x = np.array([(a, b, b, a, a) for a, b in runs])
        y = np.array([(a, a, b, b, a) for a, b in runs])
        one_path(axes, x, y, edgecolor=ACCENT, linewidth=0.9 if len(labels) > 100 else 1.4)


def _label_rows(axes: Axes, places: NDArray[np.intp], names: list[str], side: float) -> None:
    """Name rows on the right; where rows are too thin, only those that fit."""
    size = LABEL_SIZE - 1
    pitch = side / len(places)
    step = max(1, int(np.ceil(size * 1.15 / 72.0 / pitch)))
    for place in places[::step]:
        axes.text(
            1.006, (place + 0.5) / len(places), plain(names[place]), size=size, va="center",
            transform=_down(axes), clip_on=False,
        )  # fmt: skip
    if step > 1:
        axes.text(1.0, -0.012, f"1 in {step} named", size=size, ha="right", va="top", color=MUTED,
                  transform=axes.transAxes)  # fmt: skip


def _label_groups(axes: Axes, labels: NDArray[np.intp], side: float) -> None:
    """Name the largest groups on the right, as many as fit without touching."""
    size = LABEL_SIZE - 1
    least = size * 1.15 / 72.0 / side * len(labels)
    taken: list[float] = []
    runs = sorted(_runs(labels), key=lambda r: (r[1] - r[2], r[1]))
    for number, start, stop in runs:
        middle = (start + stop - 1) / 2.0
        if stop - start < 2 or any(abs(middle - t) < least for t in taken):
            continue
        taken.append(middle)
        axes.text(
            1.008, (middle + 0.5) / len(labels), group_name(number), size=size, va="center",
            transform=_down(axes), clip_on=False,
        )  # fmt: skip


def _down(axes: Axes) -> Transform:
    """Return coordinates of the axes that run from the top down, as the rows do."""
    return Affine2D().scale(1.0, -1.0).translate(0.0, 1.0) + axes.transAxes

"""Profiles as lines over the targets: chosen ones, and the members of groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from drugsig._check import listed
from drugsig.errors import InputError
from drugsig.groups.groups import Groups, group_name
from drugsig.plot._style import (
    A4_WIDTH,
    INK,
    LABEL_SIZE,
    LINE_STYLES,
    LINKED,
    MARKERS,
    MUTED,
    SERIES,
    Drawing,
    new_figure,
    one_path,
    styled,
)
from drugsig.plot.texts import plain, shorten, text_width
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import is_censored

__all__ = ["group_profiles", "groups_a_page", "profiles"]

# More lines are not told apart by style; they are drawn alike, with their median on top.
MOST_NAMED = 8

_NAME_LENGTH = 30
_NARROW_NAME_LENGTH = 28
_GROUPS_SHOWN = 24
# Inches of a row of panels, of the gap above it, and of all rows that fit on A4 with a caption.
_PANEL, _GAP, _LEGEND, _PAGE = 1.15, 0.3, 0.32, 9.3
_ROWS_A_PAGE = 4
# Names closer together than this, in inches, run into each other.
_NAME_PITCH = 0.115


def profiles(
    profile_set: ProfileSet,
    /,
    *,
    ids: Sequence[str] | None = None,
    title: str = "",
    width: float = A4_WIDTH,
) -> Drawing:
    """Draw profiles over each other, targets along the bottom.

    Up to 8 profiles are told apart by colour, line and marker and are named; more are drawn in
    grey with their median on top. A cell below its limit has an open marker, a cell that was not
    measured is a gap.

    Parameters
    ----------
    profile_set : ProfileSet
        Raw or pretreated; the values are drawn as they are.
    ids : sequence of str, optional
        Which profiles; all of them by default.
    title : str
        Put over the figure.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    InputError
        If there is no profile or no target.
    UnknownNameError
        If an id is not in the set.
    """
    rows = np.arange(len(profile_set)) if ids is None else profile_set.index_of(ids)
    _refuse_empty(profile_set, rows)
    names = [shorten(n, most=_NAME_LENGTH) for n in profile_set.target_names]
    named = len(rows) <= MOST_NAMED
    legend_lines = len(rows) if named else 2
    below = text_width(names, size=LABEL_SIZE) + 0.25
    above = 0.35 if title else 0.12
    with styled():
        height = 2.6 + below + above + 0.16 * (legend_lines // 3 + 1)
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (0.6 / width, below / height, 1 - 0.75 / width, 2.6 / height), xmargin=0.02
        )
        values, censored = profile_set.values[rows], is_censored(profile_set.status[rows])
        place = np.arange(len(names))
        if named:
            handles = _named_lines(axes, values, censored, [profile_set.ids[r] for r in rows])
        else:
            one_path(axes, place, values, edgecolor=MUTED, linewidth=0.6, alpha=0.6)
            axes.plot(place, _median(values), color=INK, linewidth=2.0)
            _mark_censored(axes, values, censored, size=4.0)
            handles = [
                Line2D([], [], color=MUTED, linewidth=0.8, label=f"{len(rows)} profiles"),
                Line2D([], [], color=INK, linewidth=2.0, label="their median"),
            ]
        if censored.any():
            handles.append(_censored_handle())
        _finish(axes, place, names, values, pitch=(width - 0.75) / len(names))
        axes.set_ylabel(_value_label(profile_set))
        figure.legend(
            handles=handles, loc="upper left", ncols=3,
            bbox_to_anchor=(0.5 / width, 1 - above / height), handlelength=3.2, columnspacing=1.5,
        )  # fmt: skip
        if title:
            figure.text(0.6 / width, 1 - 0.22 / height, plain(title), weight="bold", size=9)
    return figure


def group_profiles(
    profile_set: ProfileSet,
    groups: Groups,
    /,
    *,
    numbers: Sequence[int] | None = None,
    undecided: Collection[str] = (),
    width: float = A4_WIDTH,
) -> Drawing:
    """Draw the members of every group over each other, one small panel a group.

    Members are grey lines with their median in black; two or three members are lines of
    different styles. An open marker is a cell below its limit. All panels have the same scale.

    Parameters
    ----------
    profile_set : ProfileSet
        What was grouped, in the same order.
    groups : Groups
        The groups.
    numbers : sequence of int, optional
        Which groups; the largest 24 of two or more profiles by default.
    undecided : collection of str
        Profiles whose group should not be relied on; every panel says how many it holds.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    InputError
        If these profiles are not the ones that were grouped, or if there is no group of two or
        more.
    UnknownNameError
        If there is no such group.
    """
    if profile_set.ids != groups.ids:
        raise InputError(
            f"the groups are of {len(groups.ids)} profiles and '{profile_set.name}' holds "
            f"{len(profile_set)}, or the same in another order. Draw the set that was compared "
            "and grouped."
        )
    if numbers is None:
        numbers = [int(k) + 1 for k in np.flatnonzero(groups.sizes > 1)[:_GROUPS_SHOWN]]
    if not len(numbers):
        raise InputError(
            "there is no group of two or more profiles to draw: every profile stands alone at "
            f"the threshold {groups.threshold:g}"
        )
    members = [profile_set.index_of(groups.members(k)) for k in numbers]
    _refuse_empty(profile_set, members[0])
    names = _narrow_names(profile_set)
    across = _panels_across(len(names), len(numbers), width)
    down = -(-len(numbers) // across)
    below = _room_for(names)
    height = _LEGEND + down * (_PANEL + _GAP) + below
    pitch = (width - 0.5) / across / len(names)
    with styled():
        figure = new_figure(width, height)
        grid = figure.subplots(
            down, across, sharey=True, squeeze=False,
            gridspec_kw={
                "left": 0.5 / width, "right": 1 - 0.08 / width, "wspace": 0.06,
                "top": 1 - (_LEGEND + _GAP * 0.75) / height,
                "bottom": below / height, "hspace": _GAP / _PANEL,
            },
        )  # fmt: skip
        cells = is_censored(profile_set.status)
        drawn = np.concatenate(members)
        for place, axes in enumerate(grid.ravel()):
            if place >= len(numbers):
                axes.set_axis_off()
                continue
            rows = members[place]
            _panel(axes, profile_set.values[rows], cells[rows])
            doubtful = sum(profile_set.ids[r] in undecided for r in rows)
            note = f", {doubtful} undecided" if doubtful else ""
            axes.set_title(group_name(numbers[place]), pad=3, size=8)
            axes.set_title(
                f"{len(rows)} profiles{note}", pad=3, size=LABEL_SIZE - 0.5, loc="right",
                weight="normal",
            )  # fmt: skip
            last = place + across >= len(numbers)
            _finish(
                axes, np.arange(len(names)), names if last else None,
                profile_set.values[drawn], pitch=pitch,
            )  # fmt: skip
        figure.supylabel(_value_label(profile_set), x=0.06 / width, ha="left", size=8)
        figure.legend(
            handles=[
                Line2D([], [], color="#9a9a9a", linewidth=0.8, label="a member"),
                Line2D([], [], color=INK, linewidth=1.6, label="median of four or more"),
                _censored_handle(),
            ],
            loc="upper left", ncols=3, bbox_to_anchor=(0.45 / width, 1.0), handlelength=2.5,
        )  # fmt: skip
    return figure


def groups_a_page(profile_set: ProfileSet, /, *, width: float = A4_WIDTH) -> int:
    """Return how many panels of `group_profiles` fit on a page of A4."""
    names = _narrow_names(profile_set)
    rows = int((_PAGE - _LEGEND - _room_for(names)) / (_PANEL + _GAP))
    return max(1, min(_ROWS_A_PAGE, rows)) * _panels_across(len(names), _GROUPS_SHOWN, width)


def _narrow_names(profile_set: ProfileSet) -> list[str]:
    return [shorten(n, most=_NARROW_NAME_LENGTH) for n in profile_set.target_names]


def _room_for(names: Sequence[str]) -> float:
    return text_width(names, size=LABEL_SIZE) + 0.12


def _panel(axes: Axes, values: NDArray[np.float64], censored: NDArray[np.bool_]) -> None:
    place = np.arange(values.shape[1])
    if len(values) > 3:
        one_path(axes, place, values, edgecolor="#9a9a9a", linewidth=0.6)
        one_path(axes, place, _median(values), edgecolor=INK, linewidth=1.6)
    else:
        for row, style, colour in zip(values, LINE_STYLES, (INK, LINKED, MUTED), strict=False):
            one_path(axes, place, row, edgecolor=colour, linewidth=1.1, linestyle=style)
    _mark_censored(axes, values, censored, size=2.6)


def _named_lines(
    axes: Axes,
    values: NDArray[np.float64],
    censored: NDArray[np.bool_],
    labels: Sequence[str],
) -> list[Line2D]:
    place = np.arange(values.shape[1])
    handles = []
    for k, (row, below, label) in enumerate(zip(values, censored, labels, strict=True)):
        look: dict[str, Any] = {
            "color": SERIES[k], "linestyle": LINE_STYLES[k], "marker": MARKERS[k]
        }  # fmt: skip
        (line,) = axes.plot(
            place, row, markersize=4.5, label=plain(shorten(label, most=_NAME_LENGTH)), **look
        )
        axes.plot(
            place[below], row[below], linestyle="none", marker=MARKERS[k], markersize=4.5,
            markerfacecolor="white", markeredgecolor=SERIES[k],
        )  # fmt: skip
        handles.append(line)
    return handles


def _mark_censored(
    axes: Axes, values: NDArray[np.float64], censored: NDArray[np.bool_], *, size: float
) -> None:
    """Mark cells below their limit, each place once however many members share it."""
    rows, columns = np.nonzero(censored & np.isfinite(values))
    if len(rows):
        spots = np.unique(np.stack([columns, values[rows, columns]], axis=1), axis=0)
        axes.plot(
            spots[:, 0], spots[:, 1], linestyle="none", marker="o", markersize=size,
            markerfacecolor="white", markeredgecolor=INK, markeredgewidth=0.7, zorder=3,
        )  # fmt: skip


def _censored_handle() -> Line2D:
    return Line2D(
        [], [], linestyle="none", marker="o", markersize=4, markerfacecolor="white",
        markeredgecolor=INK, label="below the limit of detection or quantification",
    )  # fmt: skip


def _finish(
    axes: Axes,
    place: NDArray[np.intp],
    names: Sequence[str] | None,
    values: NDArray[np.float64],
    *,
    pitch: float,
) -> None:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.06 * (high - low or 1.0)
    axes.set_ylim(low - room, high + room)
    axes.set_xlim(-0.5, len(place) - 0.5)
    step = max(1, int(np.ceil(_NAME_PITCH / pitch)))
    shown = place[::step]
    axes.set_xticks(shown, [""] * len(shown) if names is None else [plain(names[k]) for k in shown])
    axes.tick_params(axis="x", labelrotation=90, length=2, pad=2)
    axes.tick_params(axis="y", length=2, pad=2)
    axes.locator_params(axis="y", nbins=5)
    axes.grid(axis="x", color="#ececec", linewidth=0.5)
    axes.set_axisbelow(True)
    if names is not None and step > 1:
        axes.set_xlabel(f"every {_ordinal(step)} target is named", size=LABEL_SIZE, color=MUTED)


def _ordinal(number: int) -> str:
    ending = {2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (12, 13) else 0, "th")
    return f"{number}{'st' if number % 10 == 1 and number % 100 != 11 else ending}"


def _panels_across(n_targets: int, n_panels: int, width: float) -> int:
    fit = int((width - 0.5) / (n_targets * _NAME_PITCH + 0.15))
    return max(1, min(3, fit, n_panels))


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full(values.shape[1], np.nan)
    some = np.isfinite(values).any(axis=0)
    out[some] = np.nanmedian(values[:, some], axis=0)
    return out


def _value_label(profile_set: ProfileSet) -> str:
    if profile_set.pretreatment:
        return "pretreated value"
    units = sorted({t.unit for t in profile_set.targets})
    return plain(units[0]) if len(units) == 1 else "value"


def _refuse_empty(profile_set: ProfileSet, rows: NDArray[np.intp]) -> None:
    if not len(rows):
        raise InputError(
            f"no profile of '{profile_set.name}' was chosen to draw. Name some with ids=[...]."
        )
    if not len(profile_set.targets) or not np.isfinite(profile_set.values[rows]).any():
        shown = listed(profile_set.ids[r] for r in rows)
        raise InputError(
            f"the profiles {shown} hold no value to draw: no target was measured in them"
        )

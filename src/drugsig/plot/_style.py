"""How every figure looks, and how it becomes SVG for a page.

Colours are those of Okabe and Ito, which people with any kind of colour vision tell apart;
nothing is said by colour alone, so that a figure survives a black-and-white printer.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO, StringIO
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "A4_WIDTH",
    "ACCENT",
    "INK",
    "LABEL_SIZE",
    "LAPTOP_WIDTH",
    "LINE_STYLES",
    "LINKED",
    "MARKERS",
    "MUTED",
    "SERIES",
    "UNKNOWN",
    "UNLINKED",
    "Drawing",
    "alike_colours",
    "new_figure",
    "one_path",
    "styled",
    "to_svg",
]

# Inches between the margins of an A4 page, and across a laptop's window.
A4_WIDTH = 6.7
LAPTOP_WIDTH = 9.6

INK = "#1a1a1a"
MUTED = "#666666"
LINKED = "#0072B2"
UNLINKED = "#E69F00"
ACCENT = "#D55E00"
UNKNOWN = "#b5b5b5"
SERIES = (INK, LINKED, ACCENT, "#009E73", "#CC79A7", UNLINKED, "#56B4E9", MUTED)
LINE_STYLES: tuple[str | tuple[int, tuple[int, ...]], ...] = (
    "-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (7, 2)), (0, (3, 3)),
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

LABEL_SIZE = 7.5

# Any: newer matplotlib types the names of settings one by one.
_STYLE: Any = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.family": ["DejaVu Sans"],
    "font.size": 8,
    "hatch.color": INK,
    "hatch.linewidth": 0.5,
    "legend.fontsize": LABEL_SIZE,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": LABEL_SIZE,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": LABEL_SIZE,
}

# Dark and light halves with a step between them: which cells meet the threshold is seen at once,
# on screen, in print and without colour.
_ALIKE = ((8, 24, 48), (86, 140, 190))
_UNLIKE = ((203, 217, 229), (252, 251, 248))
_LEVELS = 24

_IDS = re.compile(r'(\bid="|url\(#|href="#)')
_SVG: Any = {"svg.fonttype": "path", "svg.hashsalt": "drugsig"}

_SCRAP = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<\?xml.*?\?>|<!DOCTYPE.*?>", re.DOTALL)
_BLANKS = re.compile(r"\n\s*")
_POINTS = re.compile(r'^((?:<path d=")?[ML]) (-?[\d.]+) (-?[\d.]+)', re.MULTILINE)


class Drawing(Figure):
    """A matplotlib figure that notebooks show without any further call."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the library, whatever the user's own settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def new_figure(width: float, height: float, /) -> Drawing:
    """Return an empty figure of this size in inches, not known to pyplot."""
    figure = Drawing(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def one_path(axes: Axes, x: ArrayLike, y: ArrayLike, /, **look: Any) -> None:
    """Draw many lines as one path: a file of small multiples stays small.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    x : array_like, shape (n_points,) or (n_lines, n_points)
        Shared by all lines, or one row a line.
    y : array_like, shape (n_lines, n_points)
        A line has a gap where it is NaN.
    **look
        Properties of the path.
    """
    heights = np.atleast_2d(np.asarray(y, dtype=np.float64))
    places = np.broadcast_to(np.asarray(x, dtype=np.float64), heights.shape)
    codes = np.full(heights.shape, Path.LINETO, dtype=np.uint8)
    codes[:, 0] = Path.MOVETO
    there = np.isfinite(heights)
    # A point after a gap starts anew; without a successor it would draw nothing.
    codes[:, 1:][~there[:, :-1]] = Path.MOVETO
    points = np.stack([places[there], heights[there]], axis=1)
    if len(points):
        path = Path(points, codes[there])
        axes.add_patch(PathPatch(path, **{"facecolor": "none", "capstyle": "round", **look}))


def alike_colours(*, alike_is_low: bool, step: bool) -> Colormap:
    """Return a scale on which alike is dark, even without colour.

    Parameters
    ----------
    alike_is_low : bool
        Whether small scores mean alike.
    step : bool
        Whether the middle of the scale, where the threshold is put, shows as a step.
    """
    middle = (_ALIKE[1], _UNLIKE[0]) if step else (np.mean([_ALIKE[1], _UNLIKE[0]], axis=0),) * 2
    dark = np.linspace(_ALIKE[0], middle[0], _LEVELS)
    light = np.linspace(middle[1], _UNLIKE[1], _LEVELS)
    shades: NDArray[np.float64] = np.vstack([dark, light]) / 255.0
    ordered = shades if alike_is_low else shades[::-1]
    return ListedColormap(ordered.tolist()).with_extremes(bad=UNKNOWN)


def to_svg(figure: Figure, /, *, prefix: str = "", decimals: int | None = None) -> str:
    """Return a figure as an `<svg>` element for an HTML page.

    Letters are drawn as outlines, so the page needs no font. The same figure gives the same
    text on every run.

    Parameters
    ----------
    figure : Figure
        From any function of `drugsig.plot`.
    prefix : str
        Put before every id, so that figures on one page do not use each other's parts; made
        from the content by default.
    decimals : int, optional
        Round the points of lines to so many decimals of a typographic point: two are more than
        a printer resolves, and make a figure of many lines a third smaller. Not rounded by
        default.

    Returns
    -------
    str
        Without size, date, comments or links; it fills the width it is given.
    """
    buffer = StringIO()
    with styled(), warnings.catch_warnings():
        matplotlib.rcParams.update(_SVG)
        # A name in a script the font lacks is drawn as boxes; the page has it as text besides.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = _SCRAP.sub("", buffer.getvalue())
    text = _BLANKS.sub("\n", text[text.index("<svg") :]).strip()
    text = re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', _opening, text, count=1)
    if decimals is not None:
        text = _POINTS.sub(partial(_rounded, decimals=decimals), text)
    mark = prefix or "f" + hashlib.sha256(text.encode()).hexdigest()[:8]
    return _IDS.sub(rf"\g<1>{mark}-", text)


def _rounded(match: re.Match[str], *, decimals: int) -> str:
    x, y = (round(float(match.group(k)), decimals) for k in (2, 3))
    return f"{match.group(1)} {x:g} {y:g}"


def _opening(match: re.Match[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{match.group(1)}" role="img">'
    )

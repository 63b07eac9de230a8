from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from drugsig import plot
from drugsig.plot._style import SERIES, alike_colours, new_figure, one_path
from drugsig.plot.texts import plain, shorten
from tests.plot.cases import Case

IDS = re.compile(r'\bid="([^"]+)"')
USES = re.compile(r'(?:url\(#|href="#)([^")]+)')


def luminance(colour: object) -> float:
    red, green, blue = matplotlib.colors.to_rgb(colour)  # type: ignore[arg-type]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_same_figure_gives_the_same_svg(case: Case) -> None:
    one, other = (plot.to_svg(plot.roc(case.sample, case.threshold)) for _ in range(2))
    assert one == other


def test_svg_is_well_formed_fills_its_width_and_holds_no_date_or_comment(case: Case) -> None:
    svg = plot.to_svg(plot.heat_map(case.comparison, groups=case.groups))
    root = ElementTree.fromstring(svg)  # noqa: S314 - made here
    assert root.tag.endswith("svg")
    assert "width" not in root.attrib
    assert not re.search(r"<!--|<metadata|<\?xml|dc:date", svg)


def test_svg_refers_to_nothing_outside_of_itself(case: Case) -> None:
    svg = plot.to_svg(plot.distributions(case.sample, case.threshold))
    assert set(USES.findall(svg)) <= set(IDS.findall(svg))
    assert not re.search(r'(?:src|href)="(?!#|data:)', svg)


def test_ids_of_two_figures_on_a_page_never_meet(case: Case) -> None:
    one = plot.to_svg(plot.roc(case.sample, case.threshold), prefix="a")
    other = plot.to_svg(plot.roc(case.sample, case.threshold), prefix="b")
    assert len(IDS.findall(one)) == len(set(IDS.findall(one)))
    assert not set(IDS.findall(one)) & set(IDS.findall(other))
    drawn = plot.roc(case.sample, case.threshold), plot.strata(case.threshold)
    unnamed = [plot.to_svg(f) for f in drawn]
    assert not set(IDS.findall(unnamed[0])) & set(IDS.findall(unnamed[1]))


def test_settings_of_the_user_neither_change_a_figure_nor_are_changed(case: Case) -> None:
    plainly = plot.to_svg(plot.strata(case.threshold))
    with matplotlib.rc_context({"font.size": 20, "axes.grid": True, "savefig.bbox": "tight"}):
        styled = plot.to_svg(plot.strata(case.threshold))
        kept = matplotlib.rcParams["font.size"]
    assert styled == plainly
    assert kept == 20


def test_no_figure_is_known_to_pyplot() -> None:
    code = (
        "import sys, drugsig.plot as plot\n"
        "from drugsig.evidence import share_of_true_links\n"
        "shares = share_of_true_links(true_positive_rate=0.9, false_positive_rate=0.02)\n"
        "svg = plot.to_svg(plot.true_links(shares))\n"
        "assert '<svg' in svg\n"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot was loaded'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_notebook_shows_a_figure_by_itself(case: Case) -> None:
    assert plot.roc(case.sample, case.threshold)._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("alike_is_low", [True, False])
def test_alike_is_darker_also_without_colour(alike_is_low: bool) -> None:
    shades = [
        luminance(c) for c in alike_colours(alike_is_low=alike_is_low, step=True)(np.arange(48))
    ]
    order = shades if alike_is_low else shades[::-1]
    steps = np.diff(order)
    assert (steps > 0).all()
    # The threshold shows as a step several times the others.
    assert steps[23] > 3 * np.delete(steps, 23).max()


def test_linked_and_unlinked_differ_in_grey() -> None:
    assert abs(luminance("#0072B2") - luminance("#E69F00")) > 0.25
    assert len(set(SERIES)) == len(SERIES)


def test_names_are_printed_as_they_are() -> None:
    figure = new_figure(2, 1)
    text = figure.text(0, 0, plain("a$b$c $"))
    assert plot.to_svg(figure) != plot.to_svg(new_figure(2, 1))
    assert text.get_text() == r"a\$b\$c \$"


def test_a_name_in_a_script_the_font_lacks_is_no_error() -> None:
    figure = new_figure(2, 1)
    figure.text(0, 0, "试样 1")
    assert "<svg" in plot.to_svg(figure)


def test_shortening_keeps_both_ends_and_the_length() -> None:
    text = "anhydroecgonine methyl ester"
    assert shorten(text, most=40) == text
    for most in range(3, 28):
        short = shorten(text, most=most)
        assert len(short) == most
        assert text.startswith(short.split("…")[0])
        assert text.endswith(short.split("…")[1])


def test_many_lines_become_one_path_with_gaps() -> None:
    figure = new_figure(2, 1)
    axes = figure.add_axes((0, 0, 1, 1))
    one_path(axes, [0.0, 1.0, 2.0], [[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]])
    (patch,) = axes.patches
    path = patch.get_path()
    assert np.asarray(path.vertices).shape == (5, 2)
    assert np.asarray(path.codes).tolist() == [1, 1, 1, 2, 2]

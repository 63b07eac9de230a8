"""Figures: every one is a function that returns a matplotlib figure, ready for a notebook.

Nothing touches pyplot's state. Figures are readable in black and white, and `to_svg` makes one
part of an HTML page.
"""

from drugsig.plot._style import A4_WIDTH, LAPTOP_WIDTH, Drawing, to_svg
from drugsig.plot.evidence_figures import distributions, roc, strata, true_links
from drugsig.plot.heat_maps import MOST_ROWS, heat_map
from drugsig.plot.integration_figures import MOST_PANELS, integrations, runs_drawn
from drugsig.plot.profile_figures import group_profiles, groups_a_page, profiles
from drugsig.plot.run_figures import chromatogram, internal_standard

__all__ = [
    "A4_WIDTH",
    "LAPTOP_WIDTH",
    "MOST_PANELS",
    "MOST_ROWS",
    "Drawing",
    "chromatogram",
    "distributions",
    "group_profiles",
    "groups_a_page",
    "heat_map",
    "integrations",
    "internal_standard",
    "profiles",
    "roc",
    "runs_drawn",
    "strata",
    "to_svg",
    "true_links",
]

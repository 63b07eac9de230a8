"""Figures: every one is a function that returns a matplotlib figure, ready for a notebook.

Nothing touches pyplot's state. Figures are readable in black and white, and `to_svg` makes one
part of an HTML page.
"""

from drugsig.plot._style import A4_WIDTH, LAPTOP_WIDTH, Drawing, to_svg
from drugsig.plot.discrimination_figures import det, roc_band
from drugsig.plot.evidence_figures import distributions, roc, strata, true_links
from drugsig.plot.heat_maps import MOST_ROWS, heat_map
from drugsig.plot.integration_figures import MOST_PANELS, integrations, runs_drawn
from drugsig.plot.likelihood_figures import ece, pav, tippett
from drugsig.plot.profile_figures import group_profiles, groups_a_page, profiles
from drugsig.plot.run_figures import chromatogram, internal_standard

__all__ = [
    "A4_WIDTH",
    "LAPTOP_WIDTH",
    "MOST_PANELS",
    "MOST_ROWS",
    "Drawing",
    "chromatogram",
    "det",
    "distributions",
    "ece",
    "group_profiles",
    "groups_a_page",
    "heat_map",
    "integrations",
    "internal_standard",
    "pav",
    "profiles",
    "roc",
    "roc_band",
    "runs_drawn",
    "strata",
    "tippett",
    "to_svg",
    "true_links",
]

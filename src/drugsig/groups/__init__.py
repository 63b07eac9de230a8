"""Groups of profiles of probable common source."""

from drugsig.groups.below_cut import group_links
from drugsig.groups.cutting import DEFAULT_LINKAGE, LINKAGES
from drugsig.groups.grouping import group
from drugsig.groups.groups import Groups, PartitionRates, group_name
from drugsig.groups.percolation import (
    breaking_threshold,
    component_growth,
)
from drugsig.groups.undecided import find_undecided

__all__ = [
    "DEFAULT_LINKAGE",
    "LINKAGES",
    "Groups",
    "PartitionRates",
    "breaking_threshold",
    "component_growth",
    "find_undecided",
    "group",
    "group_links",
    "group_name",
]

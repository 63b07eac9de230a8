"""Groups of profiles of probable common source."""

from drugsig.groups.grouping import DEFAULT_LINKAGE, LINKAGES, group
from drugsig.groups.groups import Groups, PartitionRates, group_name
from drugsig.groups.undecided import find_undecided

__all__ = [
    "DEFAULT_LINKAGE",
    "LINKAGES",
    "Groups",
    "PartitionRates",
    "find_undecided",
    "group",
    "group_name",
]

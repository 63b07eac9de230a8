"""Profiles: the set of values that everything else works on."""

from drugsig.profiles.align import align_targets
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet
from drugsig.profiles.status import Status

__all__ = ["ID_COLUMN", "ProfileSet", "Status", "Step", "align_targets"]

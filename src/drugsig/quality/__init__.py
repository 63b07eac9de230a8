"""Quality: what must be known of the data before it is compared."""

from drugsig.quality.profile_checks import ProfileCheck, check_profiles, dominant_targets

__all__ = ["ProfileCheck", "check_profiles", "dominant_targets"]

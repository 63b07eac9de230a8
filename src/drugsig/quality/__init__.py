"""Quality: what must be known of the data before it is compared."""

from drugsig.quality.outliers import OutlierFinding, OutlierFindings, TargetSpread, find_outliers
from drugsig.quality.profile_checks import ProfileCheck, check_profiles, dominant_targets
from drugsig.quality.run_checks import check_runs
from drugsig.quality.run_findings import (
    BLANK,
    CONTROL,
    SAMPLE,
    BlankFinding,
    ControlSpread,
    RunCheck,
    RunChecks,
)
from drugsig.quality.standard_charts import StandardChart

__all__ = [
    "BLANK",
    "CONTROL",
    "SAMPLE",
    "BlankFinding",
    "ControlSpread",
    "OutlierFinding",
    "OutlierFindings",
    "ProfileCheck",
    "RunCheck",
    "RunChecks",
    "StandardChart",
    "TargetSpread",
    "check_profiles",
    "check_runs",
    "dominant_targets",
    "find_outliers",
]

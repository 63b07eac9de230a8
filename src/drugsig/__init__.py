"""drugsig: compare chemical profiles of seized drugs and group them by probable common source.

The flow, one function an arrow::

    table --read_profiles--> ProfileSet --pretreat--> ProfileSet --compare--> Comparison
                                                                                   |
    population rule --pair_sample--> PairSample --learn_threshold--> Threshold --group--> Groups

Every function takes data and returns new data; nothing changes in place. `analyse` does it all in
one call and writes a report.

Examples
--------
>>> import drugsig
>>> profiles = drugsig.ProfileSet(
...     [[50.0, 31.0, 20.0, 9.0, 1.0], [77.0, 45.0, 32.0, 12.0, 1.8], [4.0, 0.0, 30.0, 64.0, 9.0]],
...     ["T1", "T2", "T3", "T4", "T5"],
...     ["001", "002", "003"],
... )
>>> treated = drugsig.pretreat(profiles, "sum | fourth_root")
>>> comparison = drugsig.compare(treated, metric="pearson_distance")
>>> groups = drugsig.group(comparison, threshold=0.05)
>>> groups.members(1)
('001', '002')

Notes
-----
A threshold should be learned from pairs of known source (`PopulationRule`), not guessed as above.
A link or a group is an investigative lead with its error rates beside it, never proof of common
source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drugsig import errors, plot
    from drugsig.comparison import METRICS, Comparison, Links, compare
    from drugsig.datasets import simulate_profiles
    from drugsig.evidence import PairSample, PopulationRule, Threshold, learn_threshold, pair_sample
    from drugsig.groups import Groups, group
    from drugsig.profiles.align import align_targets
    from drugsig.profiles.history import Step
    from drugsig.profiles.pretreatment import Recipe, pretreat
    from drugsig.profiles.pretreatment.transformer import RecipeTransformer
    from drugsig.profiles.profile_set import ProfileSet
    from drugsig.profiles.status import Status
    from drugsig.profiles.tables import describe_table, read_profiles, write_profiles
    from drugsig.protocols import ROLES, Target
    from drugsig.workflow import analyse

__all__ = [
    "METRICS",
    "ROLES",
    "Comparison",
    "Groups",
    "Links",
    "PairSample",
    "PopulationRule",
    "ProfileSet",
    "Recipe",
    "RecipeTransformer",
    "Status",
    "Step",
    "Target",
    "Threshold",
    "__version__",
    "align_targets",
    "analyse",
    "compare",
    "describe_table",
    "errors",
    "group",
    "learn_threshold",
    "pair_sample",
    "plot",
    "pretreat",
    "read_profiles",
    "simulate_profiles",
    "write_profiles",
]

# Where each name of the front page lives. It is imported when it is first asked for, so that
# `import drugsig` and the command's help cost nothing; the block above says the same to type
# checkers, and a test holds the two together.
_HOMES = {
    "METRICS": "drugsig.comparison",
    "ROLES": "drugsig.protocols",
    "Comparison": "drugsig.comparison",
    "Groups": "drugsig.groups",
    "Links": "drugsig.comparison",
    "PairSample": "drugsig.evidence",
    "PopulationRule": "drugsig.evidence",
    "ProfileSet": "drugsig.profiles.profile_set",
    "Recipe": "drugsig.profiles.pretreatment",
    "RecipeTransformer": "drugsig.profiles.pretreatment.transformer",
    "Status": "drugsig.profiles.status",
    "Step": "drugsig.profiles.history",
    "Target": "drugsig.protocols",
    "Threshold": "drugsig.evidence",
    "align_targets": "drugsig.profiles.align",
    "analyse": "drugsig.workflow",
    "compare": "drugsig.comparison",
    "describe_table": "drugsig.profiles.tables",
    "group": "drugsig.groups",
    "learn_threshold": "drugsig.evidence",
    "pair_sample": "drugsig.evidence",
    "pretreat": "drugsig.profiles.pretreatment",
    "read_profiles": "drugsig.profiles.tables",
    "simulate_profiles": "drugsig.datasets",
    "write_profiles": "drugsig.profiles.tables",
}
_ROOMS = ("errors", "plot")


def __getattr__(name: str) -> Any:
    import importlib

    value: Any
    if name == "__version__":
        from importlib.metadata import version

        value = version("drugsig")
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"drugsig.{name}")
    else:
        import sys

        raise AttributeError(
            f"module 'drugsig' has no attribute '{name}'", name=name, obj=sys.modules[__name__]
        )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

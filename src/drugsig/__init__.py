"""drugsig: compare chemical profiles of seized drugs and group them by probable common source.

The flow, one function an arrow::

    runs --extract(protocol)--> ProfileSet <--read_profiles-- table
                                     |
                                  pretreat
                                     |
                                  compare --> Comparison
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
    from drugsig.acquisition import (
        Chromatogram,
        PeakTable,
        Run,
        extract,
        iter_scans,
        read_chromatogram,
        read_run,
        read_runs,
    )
    from drugsig.comparison import (
        METRICS,
        Comparison,
        Links,
        Nearest,
        ProfileIndex,
        build_index,
        combine_metrics,
        compare,
        condensed_scores,
        fit_metric,
        links,
        load_index,
        nearest,
    )
    from drugsig.datasets import simulate_profiles, simulate_runs
    from drugsig.evidence import PairSample, PopulationRule, Threshold, learn_threshold, pair_sample
    from drugsig.groups import Groups, group, group_links
    from drugsig.profiles.align import align_targets
    from drugsig.profiles.history import Step
    from drugsig.profiles.pretreatment import Recipe, pretreat
    from drugsig.profiles.pretreatment.transformer import RecipeTransformer
    from drugsig.profiles.profile_set import ProfileSet
    from drugsig.profiles.status import Status
    from drugsig.profiles.tables import describe_table, read_profiles, write_profiles
    from drugsig.protocols import (
        ROLES,
        Protocol,
        Target,
        check_protocol,
        list_protocols,
        load_protocol,
    )
    from drugsig.quality import find_outliers
    from drugsig.study import Study, read_study, run_plan, run_study
    from drugsig.workflow import analyse

__all__ = [
    "METRICS",
    "ROLES",
    "Chromatogram",
    "Comparison",
    "Groups",
    "Links",
    "Nearest",
    "PairSample",
    "PeakTable",
    "PopulationRule",
    "ProfileIndex",
    "ProfileSet",
    "Protocol",
    "Recipe",
    "RecipeTransformer",
    "Run",
    "Status",
    "Step",
    "Study",
    "Target",
    "Threshold",
    "__version__",
    "align_targets",
    "analyse",
    "build_index",
    "check_protocol",
    "combine_metrics",
    "compare",
    "condensed_scores",
    "describe_table",
    "errors",
    "extract",
    "find_outliers",
    "fit_metric",
    "group",
    "group_links",
    "iter_scans",
    "learn_threshold",
    "links",
    "list_protocols",
    "load_index",
    "load_protocol",
    "nearest",
    "pair_sample",
    "plot",
    "pretreat",
    "read_chromatogram",
    "read_profiles",
    "read_run",
    "read_runs",
    "read_study",
    "run_plan",
    "run_study",
    "simulate_profiles",
    "simulate_runs",
    "write_profiles",
]

# Where each name of the front page lives. It is imported when it is first asked for, so that
# `import drugsig` and the command's help cost nothing; the block above says the same to type
# checkers, and a test holds the two together.
_HOMES = {
    "METRICS": "drugsig.comparison",
    "ROLES": "drugsig.protocols",
    "Chromatogram": "drugsig.acquisition",
    "Comparison": "drugsig.comparison",
    "Groups": "drugsig.groups",
    "Links": "drugsig.comparison",
    "Nearest": "drugsig.comparison",
    "PairSample": "drugsig.evidence",
    "PeakTable": "drugsig.acquisition",
    "PopulationRule": "drugsig.evidence",
    "ProfileIndex": "drugsig.comparison",
    "ProfileSet": "drugsig.profiles.profile_set",
    "Protocol": "drugsig.protocols",
    "Recipe": "drugsig.profiles.pretreatment",
    "RecipeTransformer": "drugsig.profiles.pretreatment.transformer",
    "Run": "drugsig.acquisition",
    "Status": "drugsig.profiles.status",
    "Step": "drugsig.profiles.history",
    "Study": "drugsig.study",
    "Target": "drugsig.protocols",
    "Threshold": "drugsig.evidence",
    "align_targets": "drugsig.profiles.align",
    "analyse": "drugsig.workflow",
    "build_index": "drugsig.comparison",
    "check_protocol": "drugsig.protocols",
    "combine_metrics": "drugsig.comparison",
    "compare": "drugsig.comparison",
    "condensed_scores": "drugsig.comparison",
    "describe_table": "drugsig.profiles.tables",
    "extract": "drugsig.acquisition",
    "find_outliers": "drugsig.quality",
    "fit_metric": "drugsig.comparison",
    "group": "drugsig.groups",
    "group_links": "drugsig.groups",
    "iter_scans": "drugsig.acquisition",
    "learn_threshold": "drugsig.evidence",
    "links": "drugsig.comparison",
    "list_protocols": "drugsig.protocols",
    "load_index": "drugsig.comparison",
    "load_protocol": "drugsig.protocols",
    "nearest": "drugsig.comparison",
    "pair_sample": "drugsig.evidence",
    "pretreat": "drugsig.profiles.pretreatment",
    "read_chromatogram": "drugsig.acquisition",
    "read_profiles": "drugsig.profiles.tables",
    "read_run": "drugsig.acquisition",
    "read_runs": "drugsig.acquisition",
    "read_study": "drugsig.study",
    "run_plan": "drugsig.study",
    "run_study": "drugsig.study",
    "simulate_profiles": "drugsig.datasets",
    "simulate_runs": "drugsig.datasets",
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

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
one call and writes a report. `fit_lr_model`, `LrModel.evaluate` and `validate` take the way of
likelihood ratios.

Every room is an attribute too, imported when it is first asked for: `drugsig.evidence`,
`drugsig.datasets`, `drugsig.quality` and so on.

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
    from drugsig import (
        acquisition,
        analysis,
        cli,
        comparison,
        datasets,
        errors,
        evidence,
        groups,
        plot,
        profiles,
        protocols,
        quality,
        report,
        study,
        workflow,
    )
    from drugsig.acquisition import (
        Chromatogram,
        PeakTable,
        Run,
        extract,
        find_runs,
        iter_scans,
        read_chromatogram,
        read_run,
        read_runs,
    )
    from drugsig.analysis import Analysis, analyse_profiles, read_analysis
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
    from drugsig.datasets import simulate_profiles, simulate_runs, write_example, write_runs
    from drugsig.evidence import (
        Bounds,
        Evaluation,
        Evidence,
        LrModel,
        LrModelSpec,
        PairSample,
        PopulationRule,
        Threshold,
        assess_threshold,
        compare_discrimination,
        evaluate_held_out,
        evaluate_model,
        fit_lr_model,
        get_rule,
        given_threshold,
        learn_threshold,
        load_model,
        measure_discrimination,
        measure_performance,
        pair_sample,
        threshold_for,
        threshold_for_search,
        validate,
        verbal_statement,
    )
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
    "Analysis",
    "Bounds",
    "Chromatogram",
    "Comparison",
    "Evaluation",
    "Evidence",
    "Groups",
    "Links",
    "LrModel",
    "LrModelSpec",
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
    "acquisition",
    "align_targets",
    "analyse",
    "analyse_profiles",
    "analysis",
    "assess_threshold",
    "build_index",
    "check_protocol",
    "cli",
    "combine_metrics",
    "compare",
    "compare_discrimination",
    "comparison",
    "condensed_scores",
    "datasets",
    "describe_table",
    "errors",
    "evaluate_held_out",
    "evaluate_model",
    "evidence",
    "extract",
    "find_outliers",
    "find_runs",
    "fit_lr_model",
    "fit_metric",
    "get_rule",
    "given_threshold",
    "group",
    "group_links",
    "groups",
    "iter_scans",
    "learn_threshold",
    "links",
    "list_protocols",
    "load_index",
    "load_model",
    "load_protocol",
    "measure_discrimination",
    "measure_performance",
    "nearest",
    "pair_sample",
    "plot",
    "pretreat",
    "profiles",
    "protocols",
    "quality",
    "read_analysis",
    "read_chromatogram",
    "read_profiles",
    "read_run",
    "read_runs",
    "read_study",
    "report",
    "run_plan",
    "run_study",
    "simulate_profiles",
    "simulate_runs",
    "study",
    "threshold_for",
    "threshold_for_search",
    "validate",
    "verbal_statement",
    "workflow",
    "write_example",
    "write_profiles",
    "write_runs",
]

# Where each name of the front page lives. It is imported when it is first asked for, so that
# `import drugsig` and the command's help cost nothing; the block above says the same to type
# checkers, and a test holds the two together.
_HOMES = {
    "METRICS": "drugsig.comparison",
    "ROLES": "drugsig.protocols",
    "Analysis": "drugsig.analysis",
    "Bounds": "drugsig.evidence",
    "Chromatogram": "drugsig.acquisition",
    "Comparison": "drugsig.comparison",
    "Evaluation": "drugsig.evidence",
    "Evidence": "drugsig.evidence",
    "Groups": "drugsig.groups",
    "Links": "drugsig.comparison",
    "LrModel": "drugsig.evidence",
    "LrModelSpec": "drugsig.evidence",
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
    "analyse_profiles": "drugsig.analysis",
    "assess_threshold": "drugsig.evidence",
    "build_index": "drugsig.comparison",
    "check_protocol": "drugsig.protocols",
    "combine_metrics": "drugsig.comparison",
    "compare": "drugsig.comparison",
    "compare_discrimination": "drugsig.evidence",
    "condensed_scores": "drugsig.comparison",
    "describe_table": "drugsig.profiles.tables",
    "evaluate_held_out": "drugsig.evidence",
    "evaluate_model": "drugsig.evidence",
    "extract": "drugsig.acquisition",
    "find_outliers": "drugsig.quality",
    "find_runs": "drugsig.acquisition",
    "fit_lr_model": "drugsig.evidence",
    "fit_metric": "drugsig.comparison",
    "get_rule": "drugsig.evidence",
    "given_threshold": "drugsig.evidence",
    "group": "drugsig.groups",
    "group_links": "drugsig.groups",
    "iter_scans": "drugsig.acquisition",
    "learn_threshold": "drugsig.evidence",
    "links": "drugsig.comparison",
    "list_protocols": "drugsig.protocols",
    "load_index": "drugsig.comparison",
    "load_model": "drugsig.evidence",
    "load_protocol": "drugsig.protocols",
    "measure_discrimination": "drugsig.evidence",
    "measure_performance": "drugsig.evidence",
    "nearest": "drugsig.comparison",
    "pair_sample": "drugsig.evidence",
    "pretreat": "drugsig.profiles.pretreatment",
    "read_analysis": "drugsig.analysis",
    "read_chromatogram": "drugsig.acquisition",
    "read_profiles": "drugsig.profiles.tables",
    "read_run": "drugsig.acquisition",
    "read_runs": "drugsig.acquisition",
    "read_study": "drugsig.study",
    "run_plan": "drugsig.study",
    "run_study": "drugsig.study",
    "simulate_profiles": "drugsig.datasets",
    "simulate_runs": "drugsig.datasets",
    "threshold_for": "drugsig.evidence",
    "threshold_for_search": "drugsig.evidence",
    "validate": "drugsig.evidence",
    "verbal_statement": "drugsig.evidence",
    "write_example": "drugsig.datasets",
    "write_profiles": "drugsig.profiles.tables",
    "write_runs": "drugsig.datasets",
}
_ROOMS = (
    "acquisition",
    "analysis",
    "cli",
    "comparison",
    "datasets",
    "errors",
    "evidence",
    "groups",
    "plot",
    "profiles",
    "protocols",
    "quality",
    "report",
    "study",
    "workflow",
)


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

"""Studies: every recipe with every metric under every rule, and what picking the best is worth.

`run_study` tries a grid of treatments and judges the best one on sources it was not chosen on. A
study is written to a folder with `Study.write` and run again, to the same table, with
``run_plan(read_study("study.toml"))``.
"""

from drugsig.evidence.target_selection import TargetSelection
from drugsig.study.folds import Choice, FoldChoice
from drugsig.study.plan import StudyPlan
from drugsig.study.plan import read_plan as read_study
from drugsig.study.running import run_plan, run_study
from drugsig.study.study import Study

__all__ = [
    "Choice",
    "FoldChoice",
    "Study",
    "StudyPlan",
    "TargetSelection",
    "read_study",
    "run_plan",
    "run_study",
]

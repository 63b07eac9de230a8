"""`validate_method`: the job of validating a likelihood ratio method, from a file to a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from drugsig._files import new_folder, refuse_existing
from drugsig._notes import Note, emit
from drugsig.errors import DrugsigWarning
from drugsig.evidence.validation import CHARACTERISTICS, Validation, ValidationReport, validate
from drugsig.evidence.validation.findings import PASS
from drugsig.quality.profile_checks import check_profiles
from drugsig.report.validation_page import render_validation
from drugsig.workflow.sources import load
from drugsig.workflow.validation_config import ValidationConfig

__all__ = [
    "MODEL",
    "REPORT",
    "REPORT_DATA",
    "ProfilesLeftOut",
    "told_lines",
    "validate_method",
    "validation_summary",
]

REPORT = "validation.html"
REPORT_DATA = "validation.json"
MODEL = "model.npz"

# What the digests of the files that decide a validation are called in its report.
_FILES = {
    "sha256": "input_file",
    "metadata_sha256": "metadata_file",
    "protocol_sha256": "protocol_file",
    "criteria_sha256": "criteria_file",
}


@dataclass(frozen=True)
class ProfilesLeftOut(Note):
    """Profiles were read and could not be used.

    Look at why each was left out, and mend the table if it should count.
    """

    code: ClassVar[str] = "profiles-left-out"
    category: ClassVar[type[DrugsigWarning] | None] = None
    profiles: tuple[str, ...]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        each = list(zip(self.profiles, self.reasons, strict=True))
        told = "; ".join(f"'{name}' ({why})" for name, why in each[:5])
        more = f" and {len(each) - 5} more" if len(each) > 5 else ""
        return f"{len(each)} profile(s) were read and left out: {told}{more}."


def validate_method(
    source: str | Path, /, *, out: str | Path | None = None, progress: bool = True
) -> Validation:
    """Validate the method that a validation file describes, and write the report.

    Parameters
    ----------
    source : path-like
        A ``validation.toml``, which decides everything.
    out : path-like, optional
        A folder to make, for the report (HTML and JSON) and the fitted model. Without it nothing
        is written.
    progress : bool
        Show progress where there is a terminal.

    Returns
    -------
    Validation
        The report, and the model that carries it.

    Raises
    ------
    ConfigError
        If the file cannot be run.
    InputError
        If the method cannot be validated on these profiles.
    OutputError
        If the folder exists and is not empty, or cannot be written.
    """
    target = None if out is None else Path(out)
    if target is not None:
        refuse_existing(target)
    config = ValidationConfig.read(source)
    loaded = load(config.analysis, target)
    emit(loaded.notes)
    unusable = {c.profile_id: c.excluded for c in check_profiles(loaded.profiles) if c.excluded}
    unusable |= loaded.kinds
    profiles = loaded.profiles
    if unusable:
        profiles = profiles.without(unusable, why="cannot be compared")
    rule = config.analysis.rule
    assert rule is not None  # noqa: S101 - the file was refused without one
    made = validate(
        profiles,
        rule,
        config.spec,
        rng=np.random.default_rng(config.analysis.seed),
        recipe=config.analysis.recipe or None,
        criteria=config.criteria,
        progress=progress,
        **config.settings,
    )
    made = _with_inputs(made, {**loaded.digests, **config.digests}, unusable)
    if target is not None:
        _write(made, target)
    return made


def validation_summary(report: ValidationReport, /) -> dict[str, Any]:
    """Return the main figures of a validation as data that can be written as JSON.

    Parameters
    ----------
    report : ValidationReport
        Of a validation.
    """
    data = report.to_data()
    return {
        "verdict": data["verdict"],
        "verdicts": data["verdicts"],
        "findings": [
            {k: f[k] for k in ("measure", "value", "interval_95", "verdict")}
            for f in data["findings"]
        ],
        "counts": data["counts"],
        "notes": data["notes"],
    }


def told_lines(report: ValidationReport, /) -> list[str]:
    """Return the verdicts for a terminal, each with what did not pass and why.

    Parameters
    ----------
    report : ValidationReport
        Of a validation.
    """
    lines = []
    for name, verdict in report.verdicts.items():
        lines.append(f"{CHARACTERISTICS[name].title + ':':22}{verdict}")
        for found in report.of(name):
            if found.criterion is None or found.verdict == PASS:
                continue
            shown = found.why if found.estimate is None else f"{found.estimate}; {found.criterion}"
            lines.append(f"    {found.about.label}: {found.verdict_in_words}: {shown}")
    lines.append(f"As a whole: {report.verdict}.")
    return lines


def _with_inputs(
    made: Validation, files: Mapping[str, str], unusable: Mapping[str, str]
) -> Validation:
    """Return the same validation with the files that decide it and the profiles left out."""
    left = (ProfilesLeftOut(tuple(unusable), tuple(unusable.values())),) if unusable else ()
    digests = {**made.report.digests, **{_FILES[key]: sha256 for key, sha256 in files.items()}}
    report = replace(made.report, notes=(*left, *made.report.notes), digests=digests)
    carried = made.model.validation
    assert carried is not None  # noqa: S101 - `validate` gives its model a validation
    model = made.model.with_validation(replace(carried, report=report.digest))
    return Validation(report, model, made.evaluation)


def _write(made: Validation, folder: Path) -> None:
    with new_folder(folder) as draft:
        for name, text in (
            (REPORT, render_validation(made.report)),
            (REPORT_DATA, made.report.to_json()),
        ):
            # The same bytes on every system.
            (draft / name).write_bytes(text.encode("utf-8"))
        made.model.save(draft / MODEL)

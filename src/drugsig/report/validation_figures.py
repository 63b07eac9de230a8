"""The figures of a validation report, and what each shows in words."""

from __future__ import annotations

from drugsig.errors import InputError
from drugsig.evidence.validation.result import ValidationReport
from drugsig.plot.discrimination_figures import det, roc_band
from drugsig.plot.likelihood_figures import ece, pav, tippett
from drugsig.plot.validation_figures import changes, cllr_by_seed
from drugsig.report.figures import ReportFigure, made_figure

__all__ = ["primary_figures", "secondary_figures"]


def primary_figures(report: ValidationReport, /) -> list[ReportFigure]:
    """Return the figures of the LRs as they are.

    Parameters
    ----------
    report : ValidationReport
        From `drugsig.evidence.validation.validate`.
    """
    own = report.performance
    criterion = report.criteria.of("cllr")
    limit = None if criterion is None else criterion.limit
    return [
        made_figure(
            "tippett",
            tippett(own),
            "Tippett plot: of the linked (solid) and the unlinked pairs (dashed), the share with a "
            "greater LR than each value. What lies on the wrong side of 0 misleads. Bands are "
            "95 % intervals by resampling sources.",
            decimals=2,
        ),
        made_figure(
            "ece",
            ece(own),
            "Empirical cross-entropy over prior odds: what the LRs cost (solid), what they would "
            "cost after the best rising recalibration (dashed), and the cost of no evidence "
            "(dotted). Where the solid line is above the dotted one, it is better not to use the "
            "LRs. At 0 the height is Cllr.",
            decimals=2,
        ),
        made_figure(
            "pav",
            pav(own),
            "Calibration: the log10 LR that the pairs show (PAV) against the one that was given. "
            "Calibrated LRs lie on the dotted diagonal, within the band. At the lower edge, marked "
            "−∞, are LRs that no linked pair had, at the upper edge those that no unlinked pair "
            "had: how much further they should lie is not known.",
            decimals=2,
        ),
        made_figure(
            "roc",
            roc_band(report.discrimination),
            "ROC curve of the LRs taken as scores, before bounding: linked pairs found over "
            "unlinked pairs falsely taken for linked, for every limit; on the right with a "
            "logarithmic scale. Bands are 95 % intervals, one rate at a time.",
            decimals=2,
        ),
        made_figure(
            "det",
            det(report.discrimination),
            "DET curve of the same: both error rates on scales of normal deviates. The mark is "
            "where they are equal.",
            decimals=2,
        ),
        made_figure(
            "seeds",
            cllr_by_seed({s.name: s.cllr for s in report.stages}, limit=limit),
            "Cllr for every way in which the sources were dealt into folds. All are shown; none "
            "was chosen.",
            decimals=2,
        ),
    ]


def secondary_figures(report: ValidationReport, /) -> list[ReportFigure]:
    """Return the figure of changes; none where nothing was measured.

    Parameters
    ----------
    report : ValidationReport
        As above.
    """
    found = [
        f
        for key in ("robustness", "coherence", "generalisation")
        for f in report.of(key)
        if f.measure != "cllr_elsewhere"
    ]
    try:
        figure = changes(found)
    except InputError:
        return []
    return [
        made_figure(
            "changes",
            figure,
            "Changes of Cllr when something else changes, in bits; to the right is worse. Lines "
            "are 95 % intervals by resampling sources, ticks are the criteria. Filled marks pass, "
            "open ones fail.",
            decimals=2,
        )
    ]

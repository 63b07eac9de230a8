"""`Threshold`: what is a link, from pairs of known source, and how often it is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import is_number, share
from drugsig._notes import Note, emit
from drugsig._repr import html_table
from drugsig.comparison.comparability import Treatment
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.linking import links
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.ties import merge_ties
from drugsig.errors import DrugsigWarning, InputError, SmallSampleWarning, ThresholdError
from drugsig.evidence.dependence import FEW_LINKED_SOURCES, measure_dependence
from drugsig.evidence.pairs import PairSample, StratumScores, sampled, stratum_pairs
from drugsig.evidence.populations import PopulationRule, get_rule
from drugsig.evidence.resampling import (
    CONFIDENCE,
    Interval,
    auc_interval,
    checked_source_weights,
    disjoint_pairs,
    rate_interval,
)
from drugsig.evidence.roc import auc, roc_curve
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "ALL_STRATA",
    "DEFAULT_RATE",
    "DEFAULT_RESAMPLES",
    "FEW_LINKED_SOURCES",
    "ErrorRates",
    "FewExpectedFalsePositives",
    "FewSourcesOfThreshold",
    "NotValidated",
    "RatesOfOwnPairs",
    "StratumRate",
    "Threshold",
    "assess_threshold",
    "chance_rate",
    "few_notes",
    "find_threshold",
    "given_threshold",
    "learn_threshold",
    "learned_value",
    "stratum_area",
    "threshold_for",
    "threshold_for_search",
]

Floats = NDArray[np.float64]

# The false-positive rate most often accepted for intelligence in published work.
DEFAULT_RATE = 0.025

# With fewer expected false positives among the unlinked pairs, the rate beside a threshold is a
# matter of chance.
FEW_FALSE_POSITIVES = 10
DEFAULT_RESAMPLES = 2000
ALL_STRATA = "all strata"


@dataclass(frozen=True)
class FewSourcesOfThreshold(Note):
    """Few sources stand behind the linked pairs of a threshold.

    Add sources with linked profiles, and report the interval of the threshold.
    """

    code: ClassVar[str] = "few-sources-of-threshold"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    n_sources: int
    n_linked: int
    needed: int = FEW_LINKED_SOURCES

    def __str__(self) -> str:
        return (
            f"Only {self.n_sources} sources stand behind the {self.n_linked} linked "
            f"pairs (fewer than {self.needed}): the true-positive rate and the threshold "
            "itself are uncertain."
        )


@dataclass(frozen=True)
class FewExpectedFalsePositives(Note):
    """The false-positive rate rests on few pairs.

    Ask for a higher false-positive rate, or add sources that are known to differ.
    """

    code: ClassVar[str] = "few-expected-false-positives"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    rate: float
    n_unlinked: int
    needed: int = FEW_FALSE_POSITIVES

    def __str__(self) -> str:
        return (
            f"A false-positive rate of {self.rate:g} on {self.n_unlinked} unlinked pairs rests "
            f"on {self.rate * self.n_unlinked:.1f} pairs (fewer than {self.needed}): it cannot "
            "be measured well."
        )


@dataclass(frozen=True)
class RatesOfOwnPairs(Note):
    """The rates of a threshold are those of the pairs it was learned from.

    Measure the rates on pairs of other sources before they are quoted.
    """

    code: ClassVar[str] = "rates-of-own-pairs"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return (
            "The rates are measured on the pairs the threshold was learned from; on new pairs "
            "they will be somewhat worse."
        )


@dataclass(frozen=True)
class NotValidated(Note):
    """A threshold was given, and nothing is known of its errors.

    Learn the threshold from pairs of known source, or measure its rates on such pairs.
    """

    code: ClassVar[str] = "not-validated"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return (
            "The threshold was given and is not validated: there are no pairs of known "
            "source, so its error rates are not known."
        )


@dataclass(frozen=True)
class ErrorRates:
    """How often a threshold is wrong, measured on pairs of known source.

    They stand without the pairs: what of those a reader must know is counted here.

    Attributes
    ----------
    rule : PopulationRule
        Which pairs are of known source. The rates belong to it and to nothing else.
    n_linked, n_unlinked : int
        Pairs behind the rates.
    n_linked_sources, n_unlinked_sources : int
        Sources behind the pairs; they decide how much the rates are worth.
    n_undecided, n_same_specimen, n_undefined : int
        Pairs not used: neither linked nor unlinked; of one specimen; without a score.
    left_out : mapping of str to str
        Profiles the rule leaves out, and why.
    separated : bool
        Whether linked and unlinked pairs separate completely.
    false_positive_rate, true_positive_rate : float
        The shares of unlinked and of linked pairs that meet the threshold.
    auc : float
        The area under the ROC curve.
    false_positive_interval, true_positive_interval, auc_interval : Interval
        95 %, by resampling sources.
    strata : tuple of StratumRate
        The first is over all strata.
    n_resamples : int
        How often sources were resampled; less often where there are very many pairs.
    auc_error : float or None
        The standard error of the area where unlinked pairs were drawn at random for it; None where
        all of them count. The rates are those of all pairs either way. The areas of strata of more
        than 250,000 pairs together are then those of 20,000 pairs drawn from each.
    """

    rule: PopulationRule
    n_linked: int
    n_unlinked: int
    n_linked_sources: int
    n_unlinked_sources: int
    n_undecided: int
    n_same_specimen: int
    n_undefined: int
    left_out: Mapping[str, str]
    separated: bool
    false_positive_rate: float
    true_positive_rate: float
    auc: float
    false_positive_interval: Interval
    true_positive_interval: Interval
    auc_interval: Interval
    strata: tuple[StratumRate, ...]
    n_resamples: int
    auc_error: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Threshold:
    """The score that makes a link, with what is known of its errors.

    Attributes
    ----------
    value : float
        In the metric's convention; a score equal to it is a link.
    metric : Metric
        What the scores mean.
    origin : {"learned", "given"}
        Whether it was learned from pairs of known source.
    error_rates : ErrorRates or None
        Measured on pairs of known source; None where there are none: then the threshold is not
        validated.
    target_rate : float or None
        The false-positive rate that a learned threshold was to keep to.
    by_rate : float or None
        A learned threshold by that rate alone, before it was stopped at the middle of the gap.
    notes : tuple of Note
        What a reader must know before using it.
    treatment : Treatment or None
        The targets and the pretreatment that its error rates are of; None where they are not known:
        for a threshold that was given, or scores from elsewhere.
    """

    value: float
    metric: Metric
    origin: str
    error_rates: ErrorRates | None = None
    target_rate: float | None = None
    by_rate: float | None = None
    notes: tuple[Note, ...] = ()
    treatment: Treatment | None = None

    @property
    def validated(self) -> bool:
        """Whether error rates were measured on pairs of known source."""
        return self.error_rates is not None

    @property
    def rates(self) -> ErrorRates:
        """The error rates.

        Raises
        ------
        ThresholdError
            If it was given without known sources: then nobody knows its errors.
        """
        if self.error_rates is None:
            raise ThresholdError(
                f"the threshold {self.value:g} was given and is not validated: there are no pairs "
                "of known source, so its error rates are not known. Name a population rule."
            )
        return self.error_rates

    @property
    def capped(self) -> bool:
        """Whether it was stopped at the middle of the gap between linked and unlinked."""
        return self.by_rate is not None and self.by_rate != self.value

    def links(self, comparison: Comparison, /) -> Links:
        """Return the links of a comparison at this threshold, with its error rates beside them.

        Parameters
        ----------
        comparison : Comparison
            Made with the same metric, of profiles with the same targets and pretreatment.

        Raises
        ------
        ThresholdError
            If it was made with another metric, or of other targets or another pretreatment than
            the pairs behind its error rates.
        """
        if comparison.metric != self.metric:
            raise ThresholdError(
                f"this threshold is one of metric '{self.metric.name}', and the comparison was "
                f"made with '{comparison.metric.name}'. Compare with "
                f"metric='{self.metric.name}', or learn a threshold for the other. A fitted metric "
                "counts as another where it was fitted on other profiles."
            )
        self._require(comparison.treatment)
        return comparison.links(
            self.value,
            **self.chance,
        )

    def search(
        self, questioned: ProfileSet, reference: ProfileSet | None = None, /, **options: Any
    ) -> Links:
        """Find every link at this threshold without the matrix of scores, see `drugsig.links`.

        Parameters
        ----------
        questioned, reference : ProfileSet
            Pretreated as the profiles the threshold was learned from.
        **options
            Those of `drugsig.links` other than the metric, the threshold and its rates.

        Returns
        -------
        Links
            With the false-positive rate of the threshold, so that they state their comparisons
            and how many links chance alone would make.

        Raises
        ------
        ThresholdError
            If the profiles have other targets or another pretreatment than those of the pairs
            behind its error rates.
        """
        self._require(Treatment.of(questioned))
        return links(
            questioned,
            reference,
            metric=self.metric,
            threshold=self.value,
            **self.chance,
            **options,
        )

    def _require(self, treatment: Treatment | None) -> None:
        """Refuse scores of another kind than those that the error rates were measured on."""
        if self.treatment is None or self.treatment == treatment:
            return
        why = "what the scores are of is not known"
        if treatment is not None:
            why = f"these differ in {' and '.join(self.treatment.differing(treatment).values())}"
        raise ThresholdError(
            "a threshold and its error rates belong to the recipe and the targets they were "
            f"measured with, and mean nothing with others: {why}. Treat these profiles with the "
            "recipe of the others, drugsig.pretreat(profiles, drugsig.Recipe.of(learned_from)), "
            "learn a threshold for them, or take the number as given and not validated, "
            f"given_threshold({self.value:g}, metric='{self.metric.name}')."
        )

    @property
    def chance(self) -> dict[str, Any]:
        """What links must know to say how many of them chance alone would make, as keywords."""
        if self.error_rates is None:
            return {"false_positive_rate": None, "false_positive_interval": None}
        ends = self.error_rates.false_positive_interval
        return {
            "false_positive_rate": self.error_rates.false_positive_rate,
            "false_positive_interval": (ends.low, ends.high),
        }

    def __repr__(self) -> str:
        sign = self.metric.link_sign
        head = f"<Threshold {self.metric.name} {sign} {self.value:.6g}, {self.origin}"
        rates = self.error_rates
        if rates is None:
            return f"{head}; not validated: no pairs of known source>"
        return (
            f"{head}; false positives {rates.false_positive_rate:.4f} "
            f"({rates.false_positive_interval}), true positives {rates.true_positive_rate:.4f} "
            f"({rates.true_positive_interval}), {rates.n_linked_sources} linked sources>"
        )

    def _repr_html_(self) -> str:
        rows: list[tuple[str, str]] = [
            ("threshold", f"{self.metric.name} {self.metric.link_sign} {self.value:.6g}"),
            ("origin", self.origin),
        ]
        rates = self.error_rates
        if rates is None:
            rows.append(("validated", "no: there are no pairs of known source"))
        else:
            rows += [
                ("rule", rates.rule.name),
                (
                    "false-positive rate",
                    f"{rates.false_positive_rate:.4f} (95 %: {rates.false_positive_interval})",
                ),
                (
                    "true-positive rate",
                    f"{rates.true_positive_rate:.4f} (95 %: {rates.true_positive_interval})",
                ),
                ("area under the ROC curve", f"{rates.auc:.4f} (95 %: {rates.auc_interval})"),
            ]
        rows += [("mind", note.text) for note in self.notes]
        return html_table(rows)


def learn_threshold(
    sample: PairSample,
    /,
    *,
    false_positive_rate: float = DEFAULT_RATE,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    strata: dict[str, StratumScores] | None = None,
) -> Threshold:
    """Find the most permissive observed score whose false-positive rate is small enough.

    The most permissive observed score is the largest distance or the smallest similarity among
    all pairs of the sample at which the share of unlinked pairs that would be links does not
    exceed the rate. Where linked and unlinked pairs separate completely it stops at the middle
    of the gap: beyond it a threshold by rate alone would make links no linked pair needs.

    Parameters
    ----------
    sample : PairSample
        From `pair_sample`.
    false_positive_rate : float
        The rate that must not be exceeded, in (0, 1).
    rng : numpy.random.Generator
        For resampling.
    n_resamples : int
        How often sources are resampled.
    strata : dict, optional
        From `stratum_pairs`.

    Returns
    -------
    Threshold
        Its rates are measured on the pairs it was learned from, and so are somewhat better than
        on new pairs.

    Raises
    ------
    ThresholdError
        If no observed score keeps to the rate.

    Warns
    -----
    SmallSampleWarning
        If there are fewer than 30 linked sources, or the rate times the unlinked pairs is below
        10.
    """
    found = _learned(sample, false_positive_rate, rng, n_resamples, strata)
    emit(found.notes)
    return found


def _learned(
    sample: PairSample,
    false_positive_rate: float,
    rng: np.random.Generator,
    n_resamples: int,
    strata: dict[str, StratumScores] | None,
) -> Threshold:
    rate = share(false_positive_rate, what="false_positive_rate")
    value, by_rate, separated = learned_value(sample, rate, n_unlinked=sample.n_unlinked)
    return _assessed(
        sample,
        value,
        origin="learned",
        rate=rate,
        by_rate=by_rate,
        separated=separated,
        rng=rng,
        n_resamples=n_resamples,
        strata=strata,
    )


def learned_value(
    sample: PairSample, rate: float, /, *, n_unlinked: int
) -> tuple[float, float, bool]:
    """Find the threshold that `learn_threshold` learns.

    Parameters
    ----------
    sample : PairSample
        All linked pairs and the most alike of the unlinked ones: at least so many that they are
        more than the rate allows.
    rate : float
        The false-positive rate that must not be exceeded.
    n_unlinked : int
        How many unlinked pairs there are in all.

    Returns
    -------
    value : float
        The threshold.
    by_rate : float
        The threshold by the rate alone, before it was stopped at the middle of the gap.
    separated : bool
        Whether linked and unlinked pairs separate completely.

    Raises
    ------
    ThresholdError
        If no observed score keeps to the rate.
    """
    metric = sample.metric
    linked, unlinked = sample.tied_sides
    steps, false, _ = roc_curve(linked, unlinked, metric=metric, n_unlinked=n_unlinked)
    by_rate = _most_permissive(sample, steps[false <= rate], rate, n_unlinked)
    if by_rate is None:
        raise ThresholdError(
            f"no observed score keeps to a false-positive rate of {rate:g}: already "
            f"{false[0]:.3f} of the unlinked pairs score {steps[0]:.6g}, as alike as any linked "
            "pair. The profiles do not tell these sources apart; try another recipe or metric, or "
            "look at the population rule."
        )
    sign = -1.0 if metric.is_similarity else 1.0
    last_linked, separated = _last_linked(sample)
    value = by_rate
    if separated:
        first_unlinked = float(sign * np.min(sign * unlinked))
        middle = last_linked + (first_unlinked - last_linked) / 2.0
        # Where the gap is no wider than the slack there is no middle that unlinked pairs miss.
        if sample.meets(middle)[~sample.linked].any():
            middle = last_linked
        value = middle if sign * middle < sign * by_rate else by_rate
    return value, by_rate, separated


def assess_threshold(
    sample: PairSample,
    value: float,
    /,
    *,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    strata: dict[str, StratumScores] | None = None,
) -> Threshold:
    """Measure the error rates of a threshold that was set elsewhere.

    Parameters
    ----------
    sample, rng, n_resamples, strata
        As in `learn_threshold`.
    value : float
        The threshold, in the convention of the sample's metric.

    Returns
    -------
    Threshold
        With the rates of these pairs; its origin is ``given``.

    Raises
    ------
    ThresholdError
        If the value lies outside the range of the metric.

    Warns
    -----
    SmallSampleWarning
        As from `learn_threshold`, for a rate of 0.025.
    """
    found = _measured(sample, value, rng, n_resamples, strata)
    emit(found.notes)
    return found


def _measured(
    sample: PairSample,
    value: float,
    rng: np.random.Generator,
    n_resamples: int,
    strata: dict[str, StratumScores] | None,
) -> Threshold:
    metric = sample.metric
    number = metric.check_threshold(value)
    return _assessed(
        sample,
        number,
        origin="given",
        rate=None,
        by_rate=None,
        separated=_last_linked(sample)[1],
        rng=rng,
        n_resamples=n_resamples,
        strata=strata,
    )


def given_threshold(value: float, /, *, metric: Metric | str) -> Threshold:
    """Take a threshold as given, without known sources: it is reported as not validated.

    Parameters
    ----------
    value : float
        The threshold, in the metric's convention.
    metric : Metric or str
        What the scores mean.

    Returns
    -------
    Threshold
        Without rates, and with a warning that says so.

    Raises
    ------
    ThresholdError
        If the value lies outside the range of the metric.
    """
    metric = get_metric(metric)
    return Threshold(
        value=metric.check_threshold(value),
        metric=metric,
        origin="given",
        notes=(NotValidated(),),
    )


def threshold_for(
    comparison: Comparison,
    profiles: ProfileSet,
    rule: PopulationRule | str,
    /,
    *,
    rng: np.random.Generator,
    value: float | None = None,
    false_positive_rate: float = DEFAULT_RATE,
    n_resamples: int = DEFAULT_RESAMPLES,
) -> Threshold:
    """Learn a threshold under a rule, or measure a given one, strata included.

    Parameters
    ----------
    comparison, profiles, rule
        As in `pair_sample`.
    rng, false_positive_rate, n_resamples
        As in `learn_threshold`.
    value : float, optional
        A threshold to assess instead of learning one.

    Returns
    -------
    Threshold
        As from `learn_threshold` or `assess_threshold`.

    Warns
    -----
    CircularRuleWarning, DataWarning
        As from `pair_sample`.
    SmallSampleWarning
        As from `learn_threshold`.
    """
    found, _, notes = find_threshold(
        comparison,
        profiles,
        get_rule(rule, profiles),
        rng=rng,
        value=value,
        false_positive_rate=false_positive_rate,
        n_resamples=n_resamples,
    )
    emit(notes)
    return found


def find_threshold(
    comparison: Comparison,
    profiles: ProfileSet,
    rule: PopulationRule,
    /,
    *,
    rng: np.random.Generator,
    value: float | None = None,
    false_positive_rate: float = DEFAULT_RATE,
    chance_links: float | None = None,
    n_resamples: int = DEFAULT_RESAMPLES,
) -> tuple[Threshold, PairSample, tuple[Note, ...]]:
    """Find a threshold as `threshold_for` does, with its pairs and without warning of its notes.

    Parameters
    ----------
    comparison, profiles, rule, rng, value, false_positive_rate, n_resamples
        As in `threshold_for`.
    chance_links : float, optional
        How many links chance alone may make among all pairs, instead of a rate.

    Returns
    -------
    threshold : Threshold
        With its own notes.
    sample : PairSample
        The pairs of known source.
    notes : tuple of Note
        Those on the rule, and those of the threshold.
    """
    sample, notes = sampled(comparison, profiles, rule)
    strata = stratum_pairs(comparison, profiles, rule)
    if chance_links is not None:
        apart = ~sample.linked
        false_positive_rate = chance_rate(
            chance_links,
            comparisons=comparison.n_pairs,
            n_unlinked=sample.n_unlinked,
            units=disjoint_pairs(sample.source_a[apart], sample.source_b[apart]),
        )
    found = (
        _learned(sample, false_positive_rate, rng, n_resamples, strata)
        if value is None
        else _measured(sample, value, rng, n_resamples, strata)
    )
    return found, sample, (*notes, *found.notes)


def _most_permissive(
    sample: PairSample, steps: Floats, rate: float, n_unlinked: int
) -> float | None:
    """Return the most permissive step at which the share of unlinked pairs that meet it is allowed.

    Where sizes differ from pair to pair, a pair beyond a step may meet it by its own slack.
    """
    for step in steps[::-1].tolist():
        if sample.meets(step)[~sample.linked].sum() / n_unlinked <= rate:
            return float(step)
    return None


def _last_linked(sample: PairSample) -> tuple[float, bool]:
    """Return the score of the least alike linked pair, and whether no unlinked pair meets it."""
    scores = sample.linked_scores
    last = float(scores.min() if sample.metric.is_similarity else scores.max())
    return last, not sample.meets(last)[~sample.linked].any()


def _assessed(
    sample: PairSample,
    value: float,
    *,
    origin: str,
    rate: float | None,
    by_rate: float | None,
    separated: bool,
    rng: np.random.Generator,
    n_resamples: int,
    strata: dict[str, StratumScores] | None,
) -> Threshold:
    metric = sample.metric
    weights = checked_source_weights(len(sample.sources), n_resamples, rng)
    positive = sample.meets(value)
    notes = [
        *few_notes(sample, rate, n_unlinked=sample.n_unlinked),
        *measure_dependence(sample).notes,
    ]
    if origin == "learned":
        notes.append(RatesOfOwnPairs())
    rates = ErrorRates(
        rule=sample.rule,
        n_linked=sample.n_linked,
        n_unlinked=sample.n_unlinked,
        n_linked_sources=sample.n_linked_sources,
        n_unlinked_sources=sample.n_unlinked_sources,
        n_undecided=sample.n_undecided,
        n_same_specimen=sample.n_same_specimen,
        n_undefined=sample.n_undefined,
        left_out=dict(sample.left_out),
        separated=separated,
        false_positive_rate=float(positive[~sample.linked].mean()),
        true_positive_rate=float(positive[sample.linked].mean()),
        auc=auc(*sample.tied_sides, metric=metric),
        false_positive_interval=rate_interval(sample, positive, weights, linked=False),
        true_positive_interval=rate_interval(sample, positive, weights, linked=True),
        auc_interval=auc_interval(sample, weights),
        strata=_stratum_rates(sample, value, strata or {}),
        n_resamples=n_resamples,
    )
    return Threshold(value, metric, origin, rates, rate, by_rate, tuple(notes), sample.treatment)


def chance_rate(chance_links: float, /, *, comparisons: int, n_unlinked: int, units: int) -> float:
    """Return the false-positive rate at which chance alone makes so many links.

    Parameters
    ----------
    chance_links : float
        How many, above 0.
    comparisons : int
        How many pairs are compared.
    n_unlinked : int
        Unlinked pairs of known source to measure the rate on.
    units : int
        How many of them can be taken if each source is used once.

    Raises
    ------
    InputError
        If it is no number above 0 and below that of the pairs.
    ThresholdError
        If so small a rate is not measurable: below one in as many as there are unlinked pairs.
    """
    if not is_number(chance_links) or not 0 < chance_links < comparisons:
        raise InputError(
            f"chance_links must be a number above 0 and below that of the pairs compared, "
            f"{comparisons:,}, got {chance_links!r}"
        )
    rate = float(chance_links) / comparisons
    # Compared without the quotient, whose rounding would refuse one link in just as many pairs.
    if chance_links * n_unlinked < comparisons:
        most = 1.0 - ((1.0 - CONFIDENCE) / 2.0) ** (1.0 / units)
        raise ThresholdError(
            f"{chance_links:g} chance links among {comparisons:,} pairs is a false-positive rate "
            f"of {rate:.2g}, which is not measurable with {n_unlinked:,} unlinked pairs of known "
            f"source: the least that they can show is one in so many, which makes "
            f"{comparisons / n_unlinked:,.0f} chance links. If none of them met the threshold the "
            f"rate might still be {most:.2g}, the upper end for {units} independent pairs. Accept "
            f"more chance links, or add known sources."
        )
    return rate


def few_notes(sample: PairSample, rate: float | None, /, *, n_unlinked: int) -> tuple[Note, ...]:
    """Return what must be said where few pairs or sources stand behind a threshold.

    Parameters
    ----------
    sample : PairSample
        With all linked pairs.
    rate : float or None
        The false-positive rate asked for.
    n_unlinked : int
        How many unlinked pairs there are in all.
    """
    notes: list[Note] = []
    if sample.n_linked_sources < FEW_LINKED_SOURCES:
        notes.append(FewSourcesOfThreshold(sample.n_linked_sources, sample.n_linked))
    asked = DEFAULT_RATE if rate is None else rate
    if asked * n_unlinked < FEW_FALSE_POSITIVES:
        notes.append(FewExpectedFalsePositives(asked, n_unlinked))
    return tuple(notes)


@dataclass(frozen=True)
class StratumRate:
    """How a threshold does on pairs of different seizures that agree in every stratum column.

    Parameters
    ----------
    stratum : str
        The texts of the stratum columns, or "all strata".
    n_pairs : int
        Pairs of different seizures in it; their source is not known.
    link_rate : float
        The share of them that meets the threshold.
    auc : float
        Linked pairs against these pairs.
    """

    stratum: str
    n_pairs: int
    link_rate: float
    auc: float


def _stratum_rates(
    sample: PairSample, value: float, strata: dict[str, StratumScores], /
) -> tuple[StratumRate, ...]:
    """Measure a threshold on the pairs of every stratum, all of them together first.

    Parameters
    ----------
    sample : PairSample
        The pairs of known source, for the area under the curve.
    value : float
        The threshold.
    strata : dict of str to StratumScores
        From `drugsig.evidence.stratum_pairs`.
    """
    filled = {label: found for label, found in strata.items() if len(found)}
    if not filled:
        return ()
    sizes = [found.sizes for found in filled.values() if found.sizes is not None]
    together = StratumScores(
        np.concatenate([found.scores for found in filled.values()]),
        np.concatenate(sizes) if sizes else None,
    )
    return tuple(
        StratumRate(
            stratum=label,
            n_pairs=len(found),
            link_rate=float(sample.metric.meets(found.scores, value, found.sizes).mean()),
            auc=stratum_area(sample, found),
        )
        for label, found in {ALL_STRATA: together, **filled}.items()
    )


def stratum_area(sample: PairSample, found: StratumScores, /) -> float:
    """Return the area of linked pairs against the pairs of a stratum, equal scores being equal.

    Parameters
    ----------
    sample : PairSample
        With all linked pairs.
    found : StratumScores
        Of pairs of the stratum.
    """
    ours, theirs = sample.linked_scores, found.scores
    if sample.sizes is not None and found.sizes is not None:
        sizes = np.concatenate([sample.sizes[sample.linked], found.sizes])
        both = merge_ties(np.concatenate([ours, theirs]), metric=sample.metric, sizes=sizes)
        ours, theirs = both[: len(ours)], both[len(ours) :]
    return auc(ours, theirs, metric=sample.metric)


def threshold_for_search(
    sample: PairSample,
    /,
    *,
    chance_links: float,
    n_reference: int,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    strata: dict[str, StratumScores] | None = None,
) -> Threshold:
    """Learn the threshold at which a query finds so many links by chance alone.

    A profile that is compared with a whole database meets chance as often as there are profiles
    in it: a threshold with a false-positive rate of 2.5 % makes 2,500 chance links a query among
    100,000 profiles.

    Parameters
    ----------
    sample : PairSample
        Pairs of known source like those of the search.
    chance_links : float
        How many links a query may expect by chance alone, above 0.
    n_reference : int
        How many profiles a query is compared with.
    rng, n_resamples, strata
        As in `drugsig.learn_threshold`.

    Returns
    -------
    Threshold
        Learned at a false-positive rate of ``chance_links / n_reference``; use it with
        `Threshold.search`.

    Raises
    ------
    ThresholdError
        If the unlinked pairs are too few to measure so small a rate: with m of them the smallest
        rate that can be seen is 1/m.

    Examples
    --------
    With 20,000 unlinked pairs and 1,000 reference profiles, 1 chance link a query is a rate of
    0.001, which rests on 20 pairs.
    """
    for value, what in ((chance_links, "chance_links"), (n_reference, "n_reference")):
        if not is_number(value) or not 0 < value < math.inf:
            raise InputError(f"{what} must be a finite number above 0, got {value!r}")
    rate = float(chance_links) / float(n_reference)
    if rate >= 1.0:
        raise InputError(
            f"{chance_links:g} chance links among {n_reference:,} reference profiles would make "
            "every pair a link. Ask for fewer."
        )
    # Compared without the quotient, whose rounding would refuse one link in just as many pairs.
    if chance_links * sample.n_unlinked < n_reference:
        raise ThresholdError(
            f"{chance_links:g} chance links among {n_reference:,} profiles is a false-positive "
            f"rate of {rate:.2g}, and {sample.n_unlinked:,} unlinked pairs cannot show a rate "
            f"below {1.0 / sample.n_unlinked:.2g}. Use at least "
            f"{math.ceil(n_reference / chance_links):,} "
            "unlinked pairs of known source (ten times as many to measure it well), accept more "
            "chance links, or search fewer profiles."
        )
    return learn_threshold(
        sample, false_positive_rate=rate, rng=rng, n_resamples=n_resamples, strata=strata
    )

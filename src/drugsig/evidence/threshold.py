"""`Threshold`: the score that makes a link, and the error rates that go with it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FEWEST_RESAMPLES, generator, share, whole_number
from drugsig._notes import Note, emit
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.linking import links
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.errors import DrugsigWarning, SmallSampleWarning, ThresholdError
from drugsig.evidence.dependence import FEW_LINKED_SOURCES, measure_dependence
from drugsig.evidence.pairs import PairSample, sampled, stratum_pairs
from drugsig.evidence.populations import PopulationRule, get_rule
from drugsig.evidence.resampling import Interval, auc_interval, rate_interval, source_weights
from drugsig.evidence.roc import auc, roc_curve
from drugsig.evidence.strata import StratumRate, stratum_rates
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "DEFAULT_RATE",
    "DEFAULT_RESAMPLES",
    "FEW_LINKED_SOURCES",
    "FewExpectedFalsePositives",
    "FewSourcesOfThreshold",
    "NotValidated",
    "RatesOfOwnPairs",
    "Threshold",
    "assess_threshold",
    "find_threshold",
    "given_threshold",
    "learn_threshold",
    "threshold_for",
]

Floats = NDArray[np.float64]

# The false-positive rate most often accepted for intelligence in published work.
DEFAULT_RATE = 0.025

# With fewer expected false positives among the unlinked pairs, the rate beside a threshold is a
# matter of chance.
FEW_FALSE_POSITIVES = 10

DEFAULT_RESAMPLES = 2000


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
    sample : PairSample or None
        The pairs behind the rates; None where there are no known sources: then the threshold is
        not validated.
    target_rate : float or None
        The false-positive rate that was asked for.
    by_rate : float or None
        The threshold by that rate alone, before it was stopped at the middle of the gap.
    separated : bool
        Whether linked and unlinked pairs separate completely.
    false_positive_rate, true_positive_rate, auc : float or None
        Measured on the pairs the threshold was learned from.
    false_positive_interval, true_positive_interval, auc_interval : Interval or None
        95 %, by resampling sources.
    strata : tuple of StratumRate
        The first is over all strata.
    notes : tuple of Note
        What a reader must know before using it.
    n_resamples : int
        How often sources were resampled; less often where there are very many pairs.
    """

    value: float
    metric: Metric
    origin: str
    sample: PairSample | None = None
    target_rate: float | None = None
    by_rate: float | None = None
    separated: bool = False
    false_positive_rate: float | None = None
    true_positive_rate: float | None = None
    auc: float | None = None
    false_positive_interval: Interval | None = None
    true_positive_interval: Interval | None = None
    auc_interval: Interval | None = None
    strata: tuple[StratumRate, ...] = ()
    notes: tuple[Note, ...] = ()
    n_resamples: int = 0

    @property
    def validated(self) -> bool:
        """Whether error rates were measured on pairs of known source."""
        return self.sample is not None

    @property
    def capped(self) -> bool:
        """Whether it was stopped at the middle of the gap between linked and unlinked."""
        return self.by_rate is not None and self.by_rate != self.value

    @property
    def rule(self) -> PopulationRule | None:
        """The population rule, if there is one."""
        return None if self.sample is None else self.sample.rule

    def links(self, comparison: Comparison, /) -> Links:
        """Return the links of a comparison at this threshold, with its error rates beside them.

        Parameters
        ----------
        comparison : Comparison
            Made with the same metric.

        Raises
        ------
        ThresholdError
            If it was made with another metric.
        """
        if comparison.metric != self.metric:
            raise ThresholdError(
                f"this threshold is one of metric '{self.metric.name}', and the comparison was "
                f"made with '{comparison.metric.name}'. Compare with "
                f"metric='{self.metric.name}', or learn a threshold for the other. A fitted metric "
                "counts as another where it was fitted on other profiles."
            )
        return comparison.links(
            self.value,
            false_positive_rate=self.false_positive_rate,
            false_positive_interval=self._rate_ends,
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
        """
        return links(
            questioned,
            reference,
            metric=self.metric,
            threshold=self.value,
            false_positive_rate=self.false_positive_rate,
            false_positive_interval=self._rate_ends,
            **options,
        )

    @property
    def _rate_ends(self) -> tuple[float, float] | None:
        spread = self.false_positive_interval
        return None if spread is None else (spread.low, spread.high)

    def __repr__(self) -> str:
        sign = self.metric.link_sign
        head = f"<Threshold {self.metric.name} {sign} {self.value:.6g}, {self.origin}"
        if self.sample is None:
            return f"{head}; not validated: no pairs of known source>"
        return (
            f"{head}; false positives {self.false_positive_rate:.4f} "
            f"({self.false_positive_interval}), true positives {self.true_positive_rate:.4f} "
            f"({self.true_positive_interval}), {self.sample.n_linked_sources} linked sources>"
        )

    def _repr_html_(self) -> str:
        rows: list[tuple[str, str]] = [
            ("threshold", f"{self.metric.name} {self.metric.link_sign} {self.value:.6g}"),
            ("origin", self.origin),
        ]
        if self.sample is None:
            rows.append(("validated", "no: there are no pairs of known source"))
        else:
            rows += [
                ("rule", self.sample.rule.name),
                (
                    "false-positive rate",
                    f"{self.false_positive_rate:.4f} (95 %: {self.false_positive_interval})",
                ),
                (
                    "true-positive rate",
                    f"{self.true_positive_rate:.4f} (95 %: {self.true_positive_interval})",
                ),
                ("area under the ROC curve", f"{self.auc:.4f} (95 %: {self.auc_interval})"),
            ]
        rows += [("mind", note.text) for note in self.notes]
        body = "".join(
            f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows
        )
        return f"<table><tbody>{body}</tbody></table>"


def learn_threshold(
    sample: PairSample,
    /,
    *,
    false_positive_rate: float = DEFAULT_RATE,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    strata: dict[str, Floats] | None = None,
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
    strata: dict[str, Floats] | None,
) -> Threshold:
    rate = share(false_positive_rate, what="false_positive_rate")
    metric = sample.metric
    linked, unlinked = sample.tied_sides
    steps, false, _ = roc_curve(linked, unlinked, metric=metric)
    by_rate = _most_permissive(sample, steps[false <= rate], rate)
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


def assess_threshold(
    sample: PairSample,
    value: float,
    /,
    *,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    strata: dict[str, Floats] | None = None,
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
    strata: dict[str, Floats] | None,
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
    found, notes = find_threshold(
        comparison,
        profiles,
        get_rule(rule),
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
    n_resamples: int = DEFAULT_RESAMPLES,
) -> tuple[Threshold, tuple[Note, ...]]:
    """Find a threshold as `threshold_for` does, and return what must be said instead of warning.

    Parameters
    ----------
    comparison, profiles, rule, rng, value, false_positive_rate, n_resamples
        As in `threshold_for`.

    Returns
    -------
    threshold : Threshold
        With its own notes.
    notes : tuple of Note
        Those on the rule, and those of the threshold.
    """
    sample, notes = sampled(comparison, profiles, rule)
    strata = stratum_pairs(comparison, profiles, rule)
    found = (
        _learned(sample, false_positive_rate, rng, n_resamples, strata)
        if value is None
        else _measured(sample, value, rng, n_resamples, strata)
    )
    return found, (*notes, *found.notes)


def _most_permissive(sample: PairSample, steps: Floats, rate: float) -> float | None:
    """Return the most permissive step at which the share of unlinked pairs that meet it is allowed.

    Where sizes differ from pair to pair, a pair beyond a step may meet it by its own slack.
    """
    for step in steps[::-1].tolist():
        if sample.meets(step)[~sample.linked].mean() <= rate:
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
    strata: dict[str, Floats] | None,
) -> Threshold:
    n_resamples = whole_number(n_resamples, what="n_resamples", least=FEWEST_RESAMPLES)
    generator(rng)
    metric = sample.metric
    positive = sample.meets(value)
    weights = source_weights(len(sample.sources), n_resamples, rng)
    notes = [*_few(sample, rate), *measure_dependence(sample).notes]
    if origin == "learned":
        notes.append(RatesOfOwnPairs())
    return Threshold(
        value=value,
        metric=metric,
        origin=origin,
        sample=sample,
        target_rate=rate,
        by_rate=by_rate,
        separated=separated,
        false_positive_rate=float(positive[~sample.linked].mean()),
        true_positive_rate=float(positive[sample.linked].mean()),
        auc=auc(*sample.tied_sides, metric=metric),
        false_positive_interval=rate_interval(sample, positive, weights, linked=False),
        true_positive_interval=rate_interval(sample, positive, weights, linked=True),
        auc_interval=auc_interval(sample, weights),
        strata=stratum_rates(sample, value, strata or {}),
        notes=tuple(notes),
        n_resamples=n_resamples,
    )


def _few(sample: PairSample, rate: float | None) -> list[Note]:
    notes: list[Note] = []
    if sample.n_linked_sources < FEW_LINKED_SOURCES:
        notes.append(FewSourcesOfThreshold(sample.n_linked_sources, sample.n_linked))
    asked = DEFAULT_RATE if rate is None else rate
    if asked * sample.n_unlinked < FEW_FALSE_POSITIVES:
        notes.append(FewExpectedFalsePositives(asked, sample.n_unlinked))
    return notes

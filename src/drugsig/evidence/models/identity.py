"""`ModelIdentity`: of which profiles a fitted model speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drugsig._check import choose, listed
from drugsig._codec import record_data, record_of
from drugsig._files import canonical_json
from drugsig.comparison.comparability import Treatment
from drugsig.errors import InputError, ModelMismatchError
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.populations import PopulationRule
from drugsig.profiles.labels import EPOCH_COLUMN
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["ACROSS", "LABORATORY_COLUMN", "REPLICATE_COLUMN", "ModelIdentity", "identity_of"]

LABORATORY_COLUMN = "laboratory"
REPLICATE_COLUMN = "replicate_level"

# What models do not cross unless they are told to.
ACROSS = ("epoch", "laboratory")


@dataclass(frozen=True)
class ModelIdentity:
    """Of which profiles a fitted model speaks, and what it was fitted to.

    Parameters
    ----------
    protocol : str
        The digest of the protocol the profiles were extracted with; empty for a table.
    targets : str
        The digest of the names, roles and units of the targets, in order.
    pretreatment : str
        The steps with their frozen parameters, as canonical JSON.
    measure : str
        The metric by name, or the features.
    rule : str
        The population rule, as canonical JSON.
    replicate_level : str
        What replicates repeat.
    epochs, laboratories : tuple of str
        Those of the profiles; empty where no column names them.
    reference_set : str
        The content digest of the profiles the model was fitted to, in the order of their ids.
    library_version : str
        The drugsig that fitted it.
    """

    protocol: str
    targets: str
    pretreatment: str
    measure: str
    rule: str
    replicate_level: str
    epochs: tuple[str, ...]
    laboratories: tuple[str, ...]
    reference_set: str
    library_version: str

    def require(
        self,
        profiles: ProfileSet,
        /,
        *,
        replicate_level: str | None = None,
        across: Sequence[str] = (),
    ) -> None:
        """Refuse profiles of another kind.

        Parameters
        ----------
        profiles : ProfileSet
            To be evaluated.
        replicate_level : str, optional
            What their replicates repeat. Where a column ``replicate_level`` says it, it is checked
            as well.
        across : sequence of {"epoch", "laboratory"}
            What may differ all the same, for trying how a model carries over.

        Raises
        ------
        ModelMismatchError
            One error, which names everything that differs.
        """
        for name in across:
            choose(name, ACROSS, what="difference that may be allowed")
        differing: dict[str, str] = {}
        if self.protocol != _protocol_of(profiles):
            differing["protocol"] = (
                f"the protocol ({_short(_protocol_of(profiles))}, and was {_short(self.protocol)})"
            )
        treatment = Treatment(self.targets, self.pretreatment)
        differing |= treatment.differing(Treatment.of(profiles))
        levels = {t for t in _texts(profiles, REPLICATE_COLUMN) if t} - {self.replicate_level}
        if replicate_level is not None and replicate_level != self.replicate_level:
            levels.add(replicate_level)
        if levels:
            differing["replicate_level"] = (
                f"the replicate level ({listed(sorted(levels))}, and was '{self.replicate_level}')"
            )
        for name, column, own in (
            ("epoch", EPOCH_COLUMN, self.epochs),
            ("laboratory", LABORATORY_COLUMN, self.laboratories),
        ):
            theirs = _texts(profiles, column)
            if name not in across and own and not theirs <= set(own):
                found = listed(sorted(t or "not known" for t in theirs - set(own)))
                differing[name] = f"the {name} ({found}, and was {listed(own)})"
        if differing:
            raise ModelMismatchError(
                f"profile set '{profiles.name}' is not of the kind this model was fitted to. It "
                f"differs in {'; '.join(differing.values())}. Measure and treat the profiles in "
                "the same way (model.treat applies the frozen recipe), or fit a model to profiles "
                "of their kind.",
                differing=tuple(differing),
            )

    def to_data(self) -> dict[str, Any]:
        """Return the identity as data for JSON, which `from_data` reads."""
        return record_data(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> ModelIdentity:
        """Read an identity from data.

        Raises
        ------
        InputError
            If something is missing or of the wrong kind.
        """
        return record_of(cls, data, where="the identity of a stored model", stored=True)


def identity_of(
    profiles: ProfileSet,
    rule: PopulationRule,
    spec: LrModelSpec,
    /,
    *,
    library_version: str,
    across: Sequence[str] = (),
) -> ModelIdentity:
    """Return the identity of a model fitted to these profiles.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated.
    rule : PopulationRule
        What linked and unlinked mean.
    spec : LrModelSpec
        The choices.
    library_version : str
        Of drugsig.
    across : sequence of {"epoch", "laboratory"}
        What the profiles may have several of.

    Raises
    ------
    InputError
        If the profiles are of several epochs or laboratories and that was not allowed.
    """
    for name in across:
        choose(name, ACROSS, what="difference that may be allowed")
    found: dict[str, tuple[str, ...]] = {}
    for name, column in (("epoch", EPOCH_COLUMN), ("laboratory", LABORATORY_COLUMN)):
        texts = _texts(profiles, column)
        several = sorted(t or "not known" for t in texts)
        if len(texts) > 1 and name not in across:
            raise InputError(
                f"these profiles are of more than one {name} ({listed(several)}): part of what "
                "looks like a difference between sources may be one of the measurement, and a "
                f"model does not cross it. Select one, or say across=('{name}',) if they were "
                "brought to a common scale."
            )
        found[name] = tuple(sorted(t for t in texts if t))
    measure = (
        f"metric {spec.metric}"
        if spec.approach == "score"
        else canonical_json(list(profiles.target_names))
    )
    treatment = Treatment.of(profiles)
    return ModelIdentity(
        protocol=_protocol_of(profiles),
        targets=treatment.targets,
        pretreatment=treatment.pretreatment,
        measure=measure,
        rule=canonical_json(rule.to_data()),
        replicate_level=spec.replicate_level,
        epochs=found["epoch"],
        laboratories=found["laboratory"],
        reference_set=profiles.in_id_order().digest,
        library_version=library_version,
    )


def _protocol_of(profiles: ProfileSet) -> str:
    """Return the digest of the protocol named last in the history; empty where there is none."""
    digests = [s.detail["digest"] for s in profiles.history if "protocol" in s.detail]
    return str(digests[-1]) if digests else ""


def _texts(profiles: ProfileSet, column: str) -> set[str | None]:
    """Return the texts of a column, None among them where a cell is empty; none without it."""
    return set(profiles.column(column)) if column in profiles.metadata_columns else set()


def _short(digest: str) -> str:
    return f"digest {digest[:12]}" if digest else "none, a table"

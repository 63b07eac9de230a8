"""`fetch_*`: public data sets of others as profiles, each with its licence and what to cite."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from drugsig._check import choose
from drugsig.datasets.public_data import public_data, public_file
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status
from drugsig.profiles.tables import read_profiles
from drugsig.protocols.target import Target

__all__ = [
    "Glass",
    "GlassTwoLevel",
    "fetch_glass",
    "fetch_glass_two_level",
    "fetch_mdma_tablets",
    "fetch_methamphetamine",
    "fetch_propellant",
]

# The sheets of the methamphetamine workbook, and the unit of their values. The workbook names no
# unit: per mil and percent are what the sizes of the values say.
_SHEETS: Mapping[str, tuple[str, str]] = {
    "ce": ("CE", "%"),
    "gcms": ("GCMS", "area"),
    "irms": ("IRMS", "per mil"),
}

_TABLETS = {"Diameter": "mm", "Thickness": "mm", "Weight": "mg", "Purity": "%"}
_ELEMENTS = "log10 ratio to Si"
_COMPARED = "the role 'impurity' says here that a target is compared, not that it is an impurity"

Folder = str | os.PathLike[str] | None


@dataclass(frozen=True)
class Glass:
    """Elements in float glass, in the three sets that they were published in.

    Parameters
    ----------
    training : ProfileSet
        659 panes, 3 measurements of each.
    duplo, triplo : ProfileSet
        320 other panes, 2 and 3 measurements of each: the two sides of a comparison.
    """

    training: ProfileSet
    duplo: ProfileSet
    triplo: ProfileSet


@dataclass(frozen=True)
class GlassTwoLevel:
    """The input of a published two-level model of glass.

    Parameters
    ----------
    training : ProfileSet
        The background: 659 items, 3 measurements of each but two.
    reference : ProfileSet
        3 measurements of the item to compare with.
    traces : ProfileSet
        1 to 3 measurements of each of 10 items to compare.
    """

    training: ProfileSet
    reference: ProfileSet
    traces: ProfileSet


def fetch_methamphetamine(*, technique: str = "gcms", folder: Folder = None) -> ProfileSet:
    """Fetch simulated profiles of 434 methamphetamine specimens from 348 seizures.

    Parameters
    ----------
    technique : {"gcms", "irms", "ce"}
        GC-MS with 10 targets (434 specimens), isotope ratios with 3, or capillary
        electrophoresis with 2 (424 specimens each).
    folder : path-like, optional
        The data folder, instead of the environment variable ``DRUGSIG_DATA``.

    Returns
    -------
    ProfileSet
        Ids and metadata as in the workbook: ``Group`` is the seizure, ``PriR``, ``Pre`` and
        ``PreR`` are the labels that the study's population rules use. All targets have the role
        ``impurity``, which says that they are compared. The unit of GC-MS values is not stated;
        they are not normalised.

    Raises
    ------
    UnknownNameError
        If the technique is not one of these.
    ReadError
        If the file is not there and cannot be downloaded, or is another file.
    MissingExtraError
        If it would have to be downloaded and the extra ``fetch`` is not installed.

    Warns
    -----
    DataWarning
        When it is downloaded: no licence is stated.

    Notes
    -----
    Source: github.com/PopovicAna/Prioritisation-of-analytical-techniques, ``Data/Profiles.xlsx``.
    Licence: **none stated**; for study, not to be passed on. Cite: Popovic et al., Forensic
    Science International 319 (2021) 110651.
    """
    sheet, unit = _SHEETS[choose(technique, tuple(_SHEETS), what="technique")]
    # Isotope ratios are given against a standard and are negative as a rule.
    read = read_profiles(
        public_file("methamphetamine_simulated", "Profiles.xlsx", folder=folder),
        sheet=sheet,
        metadata_sheet="Lookup",
        negative="keep" if technique == "irms" else "refuse",
        unit=unit,
    )
    return _stamped(
        read, "methamphetamine_simulated", name=f"methamphetamine {sheet}", note=_COMPARED
    )


def fetch_mdma_tablets(*, folder: Folder = None) -> ProfileSet:
    """Fetch 494 measurements of real seized MDMA tablets from 160 batches.

    Parameters
    ----------
    folder : path-like, optional
        The data folder, instead of the environment variable ``DRUGSIG_DATA``.

    Returns
    -------
    ProfileSet
        Targets ``Diameter`` and ``Thickness`` (mm), ``Weight`` (mg), ``Purity`` (%). Ids are
        batch and measurement, ``"113/2"``; ``batch_id`` repeats the file's ``batchnumber``.

    Raises
    ------
    ReadError
        If the file is not there and cannot be downloaded, or is another file.
    MissingExtraError
        If it would have to be downloaded and the extra ``fetch`` is not installed.

    Notes
    -----
    Nothing is repaired: the file holds typing errors that decide results, and
    `drugsig.quality.find_outliers` names them. The one purity of 0 is *below LOD*, as every 0 of
    a table.

    The four are features of a tablet, not compounds. They have the role ``impurity`` because that
    is the role of what is compared; the history of the profiles says so. Their units differ, so
    that a sum over them has no meaning: leave steps such as ``sum`` out of the recipe. The file
    names no units; they are what the sizes of the values say.

    Source: github.com/NetherlandsForensicInstitute/lr-benchmark,
    ``resources/drugs_xtc/xtc_data.csv``. Licence: Apache-2.0. Cite that repository.
    """
    read = read_profiles(
        public_file("mdma_tablets", "xtc_data.csv", folder=folder),
        id_column=["batchnumber", "measurement"],
        targets=list(_TABLETS),
    )
    return _stamped(
        read,
        "mdma_tablets",
        name="MDMA tablets",
        units=_TABLETS,
        columns={"batch_id": read.column("batchnumber")},
        note=_COMPARED,
    )


def fetch_glass(*, folder: Folder = None) -> Glass:
    """Fetch ten elements in float glass, measured by LA-ICP-MS.

    Parameters
    ----------
    folder : path-like, optional
        The data folder, instead of the environment variable ``DRUGSIG_DATA``.

    Returns
    -------
    Glass
        Three profile sets. Values are decimal logarithms of the ratio to silicon, so that 0 is a
        value as any other: every cell is *detected*. Ids are ``"training-1/1"``: set, item,
        piece. ``pane_id`` names the pane of glass; duplo and triplo share their panes, which are
        none of the training set.

    Raises
    ------
    ReadError
        If a file is not there and cannot be downloaded, or is another file.
    MissingExtraError
        If it would have to be downloaded and the extra ``fetch`` is not installed.

    Notes
    -----
    Source: github.com/NetherlandsForensicInstitute/elemental_composition_glass, in the version
    kept in ``resources/glass`` of github.com/NetherlandsForensicInstitute/lr-benchmark.
    Licence: Apache-2.0. Cite: Vergeer et al., Science & Justice 56 (2016) 482-491, and van Es et
    al., Science & Justice 57 (2017) 181-192.
    """
    sets = {}
    for part in ("training", "duplo", "triplo"):
        read = read_profiles(
            public_file("glass_elemental", f"{part}.csv", folder=folder),
            id_column=["Item", "Piece"],
            metadata=["id"],
            negative="keep",
            unit=_ELEMENTS,
        )
        panes = "training" if part == "training" else "validation"
        sets[part] = _stamped(
            read,
            "glass_elemental",
            name=f"glass {part}",
            ids=[f"{part}-{i}" for i in read.ids],
            columns={"pane_id": [f"{panes}-{item}" for item in read.column("Item")]},
            logarithms=True,
        )
    return Glass(**sets)


def fetch_glass_two_level(*, folder: Folder = None) -> GlassTwoLevel:
    """Fetch the input of a two-level model of glass whose every intermediate is published.

    Parameters
    ----------
    folder : path-like, optional
        The data folder, instead of the environment variable ``DRUGSIG_DATA``.

    Returns
    -------
    GlassTwoLevel
        Three profile sets with the same ten elements as `fetch_glass`, as decimal logarithms of
        the ratio to silicon; every cell is *detected*. ``Item`` is the source of training and
        traces, as in the files.

    Raises
    ------
    ReadError
        If a file is not there and cannot be downloaded, or is another file.
    MissingExtraError
        If it would have to be downloaded and the extra ``fetch`` is not installed.

    Notes
    -----
    The published log10 likelihood ratios of reference and trace are 9.35755286, -8.30117149,
    -172.84468807, -46.53256363 and -35.2647055 for the traces 1, 3, 4, 5 and 8. The others were
    below what the reference program could hold.

    Source: github.com/NetherlandsForensicInstitute/lir, input of the tests of its two-level
    model. Licence: Apache-2.0. Cite that repository and van Es et al., Science & Justice 57
    (2017) 181-192.
    """
    sets = {}
    for part, file, index in (
        ("training", "train_data", None),
        ("reference", "reference_data", "i"),
        ("traces", "trace_data", None),
    ):
        read = read_profiles(
            public_file("glass_two_level", f"input/{file}.csv", folder=folder),
            id_column=index,
            metadata=None if part == "reference" else ["Item"],
            negative="keep",
            unit=_ELEMENTS,
        )
        sets[part] = _stamped(
            read,
            "glass_two_level",
            name=f"glass {part}",
            ids=[f"{part}-{i}" for i in read.ids],
            logarithms=True,
        )
    return GlassTwoLevel(**sets)


def fetch_propellant(*, folder: Folder = None) -> ProfileSet:
    """Fetch GC-MS peak areas of propellant residue: 28 runs of 7 brands, 127 compounds.

    Parameters
    ----------
    folder : path-like, optional
        The data folder, instead of the environment variable ``DRUGSIG_DATA``.

    Returns
    -------
    ProfileSet
        Areas; a 0 is *below LOD*. Metadata as in the file: ``class`` is the brand, ``member_id``
        the run of it.

    Raises
    ------
    ReadError
        If the file is not there and cannot be downloaded, or is another file.
    MissingExtraError
        If it would have to be downloaded and the extra ``fetch`` is not installed.

    Notes
    -----
    Forensic, though no drugs: an open table of GC-MS peak areas with known sources. Its address
    is that of a branch, so that a later version may lie there; another file than the known one is
    refused.

    Source: github.com/GunShotMatch/gunshotmatch-pipeline. Licence: MIT. Cite that repository.
    """
    read = read_profiles(
        public_file("propellant_gcms", "decision_tree_features.csv", folder=folder)
    )
    return _stamped(read, "propellant_gcms", name="propellant")


def _stamped(
    read: ProfileSet,
    data: str,
    /,
    *,
    name: str,
    units: Mapping[str, str] | None = None,
    ids: list[str] | None = None,
    columns: Mapping[str, Sequence[str | None]] | None = None,
    logarithms: bool = False,
    note: str = "",
) -> ProfileSet:
    """Return what was read with units, ids and columns, and with its origin in the history."""
    origin = public_data()[data]
    detail = {
        "data": origin.name,
        "kind": origin.kind,
        "homepage": origin.homepage,
        "licence": origin.licence,
        "citation": origin.citation,
    }
    if note:
        detail["note"] = note
    table = read.profiles
    if ids is not None:
        table["profile_id"] = ids
    for column, texts in (columns or {}).items():
        table[column] = texts
    named = units or {}
    return ProfileSet(
        read.values,
        targets=[Target(t.name, t.role, named.get(t.name, t.unit)) for t in read.targets],
        profiles=table,
        status=np.full(read.status.shape, Status.DETECTED) if logarithms else read.status,
        limits=read.limits,
        uncertainty=read.uncertainty,
        history=(*read.history, Step.make("fetch", detail)),
        name=name,
    )

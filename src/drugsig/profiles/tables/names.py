"""Headings that laboratories use for identifiers and other columns that are no targets."""

from __future__ import annotations

import re

__all__ = [
    "ID_NAMES",
    "is_compound_name",
    "is_id_name",
    "is_main_compound",
    "is_measured_name",
    "is_metadata_name",
    "is_summary_id",
    "plain_name",
]

# In the order they are preferred. All are compared without case, spaces and punctuation.
ID_NAMES = (
    *("profileid", "profile", "profileno", "specimenid", "specimen", "specimenno", "sampleid"),
    *("sample", "sampleno", "samplenr", "samplenumber", "samplename", "labno", "labnumber"),
    *("labid", "laboratoryno", "laboratorynumber", "exhibitid", "exhibit", "exhibitno"),
    *("itemid", "item", "itemno", "probe", "probennummer", "probennr", "runid", "run", "file"),
    *("filename", "datafile", "id", "no", "nr", "number", "name"),
)

# A heading is metadata if it is one of these, alone or followed by one of `_SUFFIXES`.
METADATA_NAMES = frozenset(
    (
        *ID_NAMES,
        *("batch", "case", "seizure", "group", "class", "cluster", "label", "type", "category"),
        *("source", "origin", "country", "region", "state", "place", "location", "city", "town"),
        *("suburb", "district", "address", "postcode", "postalcode", "zip", "zipcode", "plz"),
        *("lat", "latitude", "lng", "lon", "long", "longitude", "date", "datum", "time", "year"),
        *("month", "day", "week", "quarter", "dateofseizure", "seizuredate", "analysisdate"),
        *("route", "precursor", "method", "instrument", "column", "epoch", "sequence", "vial"),
        *("position", "injection", "preparation", "replicate", "rep", "measurement", "unit"),
        *("tablet", "laboratory", "lab", "operator", "analyst", "user", "drug", "substance"),
        *("matrix", "form", "appearance", "colour", "color", "logo", "imprint", "shape"),
        *("packaging", "comment", "comments", "remark", "remarks", "note", "notes"),
        *("bemerkung", "chiral", "salt", "purity", "weight", "mass", "amount", "quantity"),
        *("volume", "dilution", "rt", "retentiontime", "retentionindex", "mz", "casnumber"),
        *("cas", "index", "row", "line"),
    )
)

# Metadata whose cells are measured numbers, written as all numbers of the file are.
MEASURED_NAMES = frozenset(
    (
        *("purity", "weight", "mass", "amount", "quantity", "volume", "lat", "latitude", "lng"),
        *("lon", "long", "longitude"),
    )
)

_SUFFIXES = ("id", "no", "nr", "num", "number", "nummer", "code", "name", "date", "type", "label")
_UNITS = frozenset(
    ("g", "mg", "kg", "ug", "ml", "l", "ul", "percent", "pct", "wt", "min", "s", "utc", "local")
)

MAIN_COMPOUNDS = frozenset(
    (
        *("cocaine", "heroin", "diamorphine", "diacetylmorphine", "amphetamine"),
        *("methamphetamine", "methylamphetamine", "mdma", "ketamine"),
    )
)
_SALTS = ("hydrochloride", "hcl", "sulfate", "sulphate", "base")

SUMMARY_IDS = frozenset(
    (
        *("mean", "average", "total", "sum", "sd", "stdev", "std", "rsd", "cv", "min", "max"),
        *("median", "mittelwert", "summe", "moyenne", "count"),
    )
)

COMPOUND_NAMES = frozenset(("compound", "compounds", "analyte", "component", "target", "targets"))

_WORDS = re.compile(r"[^\W_]+")


def plain_name(heading: str) -> str:
    """Return a heading without case, spaces and punctuation.

    >>> plain_name("Sample No."), plain_name("m/z")
    ('sampleno', 'mz')
    """
    return "".join(_WORDS.findall(heading.casefold()))


def is_id_name(heading: str) -> bool:
    """Say whether a heading is one that identifiers of profiles have."""
    return plain_name(heading) in ID_NAMES


def is_metadata_name(heading: str) -> bool:
    """Say whether a heading is known not to be a target.

    >>> [is_metadata_name(h) for h in ("batchnumber", "class-id", "Purity (%)", "T1")]
    [True, True, True, False]
    """
    words = _WORDS.findall(heading.casefold())
    plain = "".join(words)
    if plain in METADATA_NAMES:
        return True
    if len(words) > 1 and words[-1] in ("id", "no", "nr", "number"):
        return True
    for suffix in _SUFFIXES:
        if plain.endswith(suffix) and plain.removesuffix(suffix) in METADATA_NAMES:
            return True
    named = [w for w in words if w not in _UNITS]
    return 0 < len(named) < len(words) and "".join(named) in METADATA_NAMES


def is_measured_name(heading: str) -> bool:
    """Say whether a metadata heading is one whose cells are measured numbers."""
    named = [w for w in _WORDS.findall(heading.casefold()) if w not in _UNITS]
    return "".join(named) in MEASURED_NAMES


def is_main_compound(heading: str) -> bool:
    """Say whether a target has the name of a drug that is usually the main compound."""
    plain = plain_name(heading)
    for salt in _SALTS:
        plain = plain.removesuffix(salt)
    return plain in MAIN_COMPOUNDS


def is_summary_id(profile_id: str) -> bool:
    """Say whether an id is what a line of means or totals is called."""
    return plain_name(profile_id) in SUMMARY_IDS


def is_compound_name(heading: str) -> bool:
    """Say whether a heading is one that lists of compounds have."""
    return plain_name(heading) in COMPOUND_NAMES

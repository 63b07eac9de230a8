"""Headings that laboratories use for identifiers and other columns that are no targets."""

from __future__ import annotations

import re
import unicodedata

__all__ = [
    "ID_NAMES",
    "is_compound_name",
    "is_id_name",
    "is_internal_standard",
    "is_main_compound",
    "is_measured_name",
    "is_metadata_name",
    "is_sum_name",
    "is_summary_id",
    "is_unit",
    "is_unit_row",
    "plain_name",
]

# In the order they are preferred. All are compared without case, accents, spaces and punctuation.
ID_NAMES = (
    *("profileid", "profile", "profileno", "specimenid", "specimen", "specimenno", "sampleid"),
    *("sample", "sampleno", "samplenr", "samplenumber", "samplename", "labno", "labnumber"),
    *("labid", "laboratoryno", "laboratorynumber", "exhibitid", "exhibit", "exhibitno"),
    *("itemid", "item", "itemno", "probe", "probennummer", "probennr", "probenid", "labornr"),
    *("labornummer", "echantillon", "muestra", "monster", "runid", "run", "file", "filename"),
    *("datafile", "id", "no", "nr", "number", "name", "lfdnr"),
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
        *("cas", "index", "row", "line", "inj", "lot", "charge", "partie", "lote", "asservat"),
        *("annee", "jahr", "jaar", "ano", "monat", "tag", "uhrzeit", "zeit", "fecha", "fechas"),
        *("datedesaisie", "datedanalyse", "eingang", "eingangam", "ort", "herkunft", "lieu"),
        *("lugar", "origen", "origine", "land", "pays", "pais", "gewicht", "masse", "menge"),
        *("hoeveelheid", "reinheit", "gehalt", "poids", "quantite", "purete", "teneur", "peso"),
        *("cantidad", "pureza", "zuiverheid", "farbe", "couleur", "kleur", "form", "forme"),
        *("labor", "laboratoire", "laboratorio", "bearbeiter", "bemerkungen", "kommentar"),
        *("commentaire", "comentario", "remarque", "observaciones", "notiz", "notizen"),
        *("rtdev", "rtshift", "rtdeviation", "ph", "injectionvol"),
    )
)

# Metadata whose cells are measured numbers, written as all numbers of the file are.
MEASURED_NAMES = frozenset(
    (
        *("purity", "weight", "mass", "amount", "quantity", "volume", "lat", "latitude", "lng"),
        *("lon", "long", "longitude", "gewicht", "masse", "menge", "reinheit", "gehalt", "poids"),
        *("quantite", "purete", "teneur", "peso", "cantidad", "pureza"),
    )
)

# German writes one word: Eingangsdatum, Bruttogewicht, Wirkstoffgehalt. No compound ends so.
_ENDINGS = ("datum", "gewicht", "menge", "reinheit", "gehalt", "nummer", "farbe")

_SUFFIXES = ("id", "no", "nr", "num", "number", "nummer", "code", "name", "date", "type", "label")
_UNITS = frozenset(
    ("g", "mg", "kg", "ug", "ml", "l", "ul", "percent", "pct", "wt", "min", "s", "utc", "local")
)

MAIN_COMPOUNDS = frozenset(
    (
        *("cocaine", "cocain", "cocaina", "kokain", "kokaine", "heroin", "heroine", "heroina"),
        *("diamorphine", "diamorphin", "diamorfina", "diacetylmorphine", "diacetylmorphin"),
        *("diacetylmorfina", "amphetamine", "amphetamin", "amfetamine", "amfetamin", "amfetamina"),
        *("anfetamina", "methamphetamine", "methamphetamin", "metamfetamine", "metamfetamin"),
        *("metamfetamina", "metanfetamina", "methylamphetamine", "methylamphetamin", "mdma"),
        *("ketamine", "ketamin", "ketamina"),
    )
)
# Words beside the name of a compound that leave it the same compound.
_BESIDE_COMPOUND = frozenset(
    (
        *("hydrochloride", "hydrochlorid", "chlorhydrate", "hcl", "sulfate", "sulphate", "sulfat"),
        *("base", "area", "areas", "peak", "flache", "surface", "height", "main", "d", "l"),
    )
)

# A column that adds up the others: one of the first, and beside it only the second.
_SUM_WORDS = frozenset(("sum", "summe", "total", "totals", "gesamt", "somme", "suma", "totaal"))
_BESIDE_SUM = frozenset(
    (
        *("of", "all", "the", "area", "areas", "peak", "peaks", "der", "aller", "flache"),
        *("flachen", "targets", "impurities", "des", "aires", "surfaces", "de", "las", "surface"),
    )
)
_SUMS = frozenset(("gesamtflache", "flachensumme", "totalarea", "sumarea", "areasum", "peaksum"))

# "IS" in capitals only: in small letters it is a word and part of names.
_INTERNAL_STANDARD = re.compile(
    r"(?<![^\W_])(?:IS\d?|I\.S\.|(?i:istd?\d|istd|int\.? ?std\.?|internal[ _-]?standard|"
    r"interne[rs]?[ _-]?standard|[eé]talon[ _-]interne|patr[oó]n[ _-]interno))(?![^\W_])"
)

_SUMMARIES = frozenset(
    (
        *("mean", "average", "avg", "total", "totals", "sum", "sd", "stdev", "std", "rsd", "cv"),
        *("min", "max", "minimum", "maximum", "median", "mittelwert", "mittel", "durchschnitt"),
        *("standardabweichung", "stabw", "summe", "gesamt", "moyenne", "somme", "media", "suma"),
        *("promedio", "gemiddelde", "count"),
    )
)
# Samples of the laboratory itself; they are numbered, so digits may follow.
_CONTROLS = frozenset(
    (
        *("qc", "blank", "blanks", "blk", "blindwert", "leerwert", "blindprobe", "blanc", "blanco"),
        *("standard", "standards", "control", "controls", "kontrolle", "kontrollprobe"),
        *("controle", "calibrator"),
    )
)

COMPOUND_NAMES = frozenset(
    (
        *("compound", "compounds", "compoundname", "analyte", "analytes", "analyt", "component"),
        *("target", "targets", "targetcompound", "peakname", "verbindung", "komponente"),
        *("compose", "compuesto", "analito", "verbinding"),
    )
)

# What stands below the headings in a line of units; compared without case, accents, brackets.
_UNIT_CELLS = frozenset(
    (
        *("%", "g", "mg", "kg", "µg", "μg", "ug", "ng", "ml", "l", "µl", "μl", "ul", "min", "s"),
        *("mg/kg", "mg/g", "µg/g", "μg/g", "ug/g", "ng/g", "g/kg", "mg/l", "µg/ml", "μg/ml"),
        *("ug/ml", "ng/ml", "mg/ml", "% (w/w)", "wt%", "wt %", "w/w", "% w/w", "ppm", "ppb"),
        *("area", "areas", "peak area", "rel. area", "rel area", "relative area", "area %"),
        *("area%", "% area", "flache", "rel. flache", "flache %", "flachen", "peakflache"),
        *("surface", "aire", "superficie", "counts", "count", "cts", "height", "hohe", "ratio"),
        *("verhaltnis", "a.u.", "au", "arb. units", "µv*s", "μv*s", "µv·s", "μv·s", "uv*s"),
        *("mv*s", "pa*s", "mau*s", "n/a", "-"),
    )
)
_UNIT_ROW_WORDS = frozenset(("", "unit", "units", "einheit", "einheiten", "unite", "unidad"))
# A cell that says nothing by itself: a line of these alone is no line of units.
_NO_UNIT = frozenset(("n/a", "-"))
_BRACKETS = {"(": ")", "[": "]", "{": "}"}

_WORDS = re.compile(r"[^\W_]+")


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def _words(text: str) -> list[str]:
    return _WORDS.findall(_folded(text))


def plain_name(heading: str) -> str:
    """Return a heading without case, accents, spaces and punctuation.

    >>> plain_name("Sample No."), plain_name("m/z"), plain_name("Pureté")
    ('sampleno', 'mz', 'purete')
    """
    return "".join(_words(heading))


def is_id_name(heading: str) -> bool:
    """Say whether a heading is one that identifiers of profiles have."""
    return plain_name(heading) in ID_NAMES


def is_metadata_name(heading: str) -> bool:
    """Say whether a heading is known not to be a target.

    >>> [is_metadata_name(h) for h in ("batchnumber", "class-id", "Purity (%)", "T1")]
    [True, True, True, False]
    """
    words = _words(heading)
    plain = "".join(words)
    if plain in METADATA_NAMES:
        return True
    if any(plain.endswith(ending) for ending in _ENDINGS):
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
    named = [w for w in _words(heading) if w not in _UNITS]
    return "".join(named) in MEASURED_NAMES


def is_main_compound(heading: str) -> bool:
    """Say whether a target has the name of a drug that is usually the main compound.

    >>> [is_main_compound(h) for h in ("Cocaïne HCl", "Kokain (Fläche)", "norcocaine")]
    [True, True, False]
    """
    named = [w for w in _words(heading) if w not in _BESIDE_COMPOUND and w not in _UNITS]
    return "".join(named) in MAIN_COMPOUNDS


def is_internal_standard(heading: str) -> bool:
    """Say whether a heading says that it is an internal standard.

    >>> [is_internal_standard(h) for h in ("Tetracosan (IS)", "ISTD 1", "cis-isomer", "what is")]
    [True, True, False, False]
    """
    return _INTERNAL_STANDARD.search(heading) is not None


def is_sum_name(heading: str) -> bool:
    """Say whether a heading says that the column adds up others.

    >>> [is_sum_name(h) for h in ("Summe", "Total area", "Sum (%)", "total alkaloids")]
    [True, True, True, False]
    """
    words = [w for w in _words(heading) if w not in _UNITS]
    if "".join(words) in _SUMS:
        return True
    return any(w in _SUM_WORDS for w in words) and all(
        w in _SUM_WORDS or w in _BESIDE_SUM for w in words
    )


def is_summary_id(profile_id: str) -> bool:
    """Say whether an id is what a line of means or totals, a blank or a control is called.

    >>> [is_summary_id(i) for i in ("Mittelwert", "RSD %", "QC 1", "Blank-02", "SD-024")]
    [True, True, True, True, False]
    """
    words = _words(profile_id)
    if not words:
        return False
    bare = [w.rstrip("0123456789") for w in words]
    return all(w in _SUMMARIES for w in words) or (
        bare[0] in _CONTROLS and all(w in _CONTROLS or w in ("", "sample") for w in bare[1:])
    )


def is_compound_name(heading: str) -> bool:
    """Say whether a heading is one that lists of compounds have."""
    return plain_name(heading) in COMPOUND_NAMES


def is_unit(text: str) -> bool:
    """Say whether a cell holds a unit and nothing else.

    >>> [is_unit(t) for t in ("%", "[counts]", "Fläche", "(min)", "T1")]
    [True, True, True, True, False]
    """
    return _bare_unit(text) in _UNIT_CELLS


def is_unit_row(texts: list[str]) -> bool:
    """Say whether a line holds units only, with at most a word such as "unit" in front.

    >>> is_unit_row(["", "", "area", "%"]), is_unit_row(["", "-", "-"])
    (True, False)
    """
    first, *rest = [_bare_unit(t) for t in texts]
    return (
        (first in _UNIT_ROW_WORDS or first in _UNIT_CELLS)
        and all(t == "" or t in _UNIT_CELLS for t in rest)
        and any(t in _UNIT_CELLS and t not in _NO_UNIT for t in rest)
    )


def _bare_unit(text: str) -> str:
    bare = _folded(text).strip()
    if bare and _BRACKETS.get(bare[0]) == bare[-1]:
        bare = bare[1:-1].strip()
    return bare

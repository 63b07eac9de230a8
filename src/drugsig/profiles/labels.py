"""Labels: texts that name a source, a specimen, a series, and those that name none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from drugsig._check import listed
from drugsig._notes import Note
from drugsig.profiles.metadata import ID_COLUMN
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "EPOCH_COLUMN",
    "NOT_AVAILABLE",
    "SPECIMEN_COLUMN",
    "LookAlikeLabels",
    "NearlyKnownColumn",
    "NotKnownAsEmpty",
    "is_not_known",
    "known_texts",
    "look_alike_notes",
    "look_alikes",
    "nearly_named",
    "not_known_notes",
    "without_meaning",
]

# The column that names the specimen of a profile unless another is named.
SPECIMEN_COLUMN = "specimen_id"
# The column that names the comparability epoch: instrument, column and method version.
EPOCH_COLUMN = "epoch"

# What stands for "there is nothing here" in a cell of a target as well.
NOT_AVAILABLE = (
    *("na", "n.a.", "n.a", "n. a.", "n/a", "#n/a", "<na>", "not measured", "not analysed"),
    *("not analyzed", "not applicable", "not_measured"),
)

# Without accents, which are not compared.
_WORDS = (
    *NOT_AVAILABLE,
    # As programs write it.
    *("nan", "none", "null", "nil", "nat", "empty", "missing", "void", "undefined", "#nv", "#n/d"),
    *("#n/b", "#n/v"),
    # English.
    *("unknown", "unk", "unkn", "unkn.", "unk.", "not known", "not available", "no data"),
    *("no information", "not determined", "undetermined", "to be determined", "tbd", "t.b.d."),
    *("not specified", "unspecified", "not stated", "not given", "not recorded", "not provided"),
    *("not reported", "not assigned", "unassigned", "unidentified", "not identified", "uncertain"),
    *("unclear", "nd", "n.d.", "n/d", "n.k.", "n/k", "no info"),
    # German.
    *("unbekannt", "unbek.", "nicht bekannt", "keine angabe", "keine angaben", "k.a.", "k/a"),
    *("ohne angabe", "o.a.", "nicht bestimmt", "n.b.", "n.n.", "nn", "nicht verfugbar", "unklar"),
    *("nicht verfuegbar", "fehlt", "leer", "offen", "entfallt", "ungeklart", "ungeklaert"),
    # French.
    *("inconnu", "inconnue", "inconnus", "inconnues", "non connu", "non connue", "aucun", "aucune"),
    *("non renseigne", "non renseignee", "non determine", "non determinee", "indetermine"),
    *("indeterminee", "non disponible", "non precise", "non precisee", "non specifie", "n.c."),
    *("n/c", "n.r.", "sans objet", "s.o.", "manquant", "vide"),
    # Spanish and Portuguese.
    *("desconocido", "desconocida", "desconocidos", "se desconoce", "no conocido", "sin datos"),
    *("sin dato", "s/d", "s.d.", "no disponible", "no determinado", "no determinada", "ninguno"),
    *("ninguna", "indeterminado", "indeterminada", "no consta", "no especificado", "vacio"),
    *("desconhecido", "desconhecida", "nao disponivel", "nao determinado", "sem dados", "nenhum"),
    *("nenhuma",),
    # Italian.
    *("sconosciuto", "sconosciuta", "ignoto", "ignota", "non noto", "non nota", "non disponibile"),
    *("nessuno", "nessuna", "non determinato", "non specificato"),
    # Dutch.
    *("onbekend", "niet bekend", "niet beschikbaar", "geen", "n.v.t.", "nvt", "onbepaald"),
    *("niet bepaald", "geen gegevens", "leeg"),
    # Danish, Norwegian, Swedish, Finnish, Polish, Czech.
    *("ukendt", "ukjent", "okand", "okant", "ingen", "tuntematon", "nieznany", "nieznana"),
    *("nieznane", "brak", "brak danych", "neznamy", "neznama", "neznamo"),
)

# As a spreadsheet writes a formula without a value: #VALUE!, #NAME?, #WERT!, #\u00a1VALOR!.
_FORMULA_ERROR = re.compile(r"#\u00a1?[a-z][a-z0-9/_]*[!?]")
# Nothing but these says nothing: "?", "--", "...", "/".
_SAYS_NOTHING = re.compile(r"[?\u00bf!.,:;_/\\\u2026~\-\u2010-\u2015\u2212]*")
_ENCLOSING = "()[]{}<>\"'\u00ab\u00bb\u201c\u201d\u2018\u2019?!:;*-\u2013\u2014_"
# No word of the list is longer; a longer text is not looked up.
_LONGEST = 60


def _plain(text: str) -> str:
    """Return a text without case, accents, blanks and characters that are not seen."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Mn"))
    return "".join(text.casefold().split())


_NOT_KNOWN = frozenset(_plain(word) for word in _WORDS)


def is_not_known(text: str, /) -> bool:
    """Say whether a text means that nothing is known, so that it names nothing.

    Parameters
    ----------
    text : str
        A whole cell. Case, accents, blanks and brackets around it do not matter.

    Examples
    --------
    >>> [is_not_known(text) for text in ("Unbekannt", "#N/A", "?", "(unknown)", "B 07", "UK")]
    [True, True, True, True, False, False]
    """
    if len(text) > _LONGEST:
        return False
    plain = _plain(text)
    return (
        plain in _NOT_KNOWN
        or plain.strip(_ENCLOSING) in _NOT_KNOWN
        or _SAYS_NOTHING.fullmatch(plain) is not None
        or _FORMULA_ERROR.fullmatch(plain) is not None
    )


def known_texts(profiles: ProfileSet, column: str, /) -> tuple[str | None, ...]:
    """Return the texts of a column, None where a cell is empty or says that nothing is known.

    Parameters
    ----------
    profiles : ProfileSet
        With metadata.
    column : str
        Names sources, specimens, series, strata ...; ids are what they are.

    Raises
    ------
    MetadataError
        If there is no such column.
    """
    texts = profiles.column(column)
    nothing = without_meaning(column, texts)
    return tuple(None if text in nothing else text for text in texts) if nothing else texts


def without_meaning(column: str, texts: Iterable[str | None], /) -> frozenset[str]:
    """Return those texts of a column that say that nothing is known; an id is what it is.

    Parameters
    ----------
    column : str
        Its name.
    texts : iterable of str or None
        Its cells, or the different texts among them.
    """
    if column == ID_COLUMN:
        return frozenset()
    return frozenset(t for t in set(texts) if isinstance(t, str) and is_not_known(t))


@dataclass(frozen=True)
class NotKnownAsEmpty(Note):
    """A text that means *not known* was taken as an empty cell.

    Leave such cells empty in the table. If the text is the name of a source after all, write it in
    another way, as "route NA" for "NA".
    """

    code: ClassVar[str] = "not-known-as-empty"
    column: str
    texts: tuple[str, ...]
    n_profiles: int

    def __str__(self) -> str:
        return (
            f"column '{self.column}': {listed(self.texts)} in {self.n_profiles} "
            "profile(s) means that nothing is known, and is taken as empty: these profiles do not "
            "count as of one source, or of different ones, by this column."
        )


def not_known_notes(
    profiles: ProfileSet, columns: Sequence[str], /, *, left_out: Iterable[str] = ()
) -> tuple[NotKnownAsEmpty, ...]:
    """Return what must be said of texts in columns that were taken as empty.

    Parameters
    ----------
    profiles : ProfileSet
        With metadata.
    columns : sequence of str
        Those that are looked at.
    left_out : iterable of str
        Ids of profiles that are not looked at.
    """
    out = frozenset(left_out)
    notes = []
    for column in dict.fromkeys(columns):
        texts = profiles.column(column)
        nothing = without_meaning(column, texts)
        if nothing:
            found = [
                t for i, t in zip(profiles.ids, texts, strict=True) if t in nothing and i not in out
            ]
            if found:
                told = tuple(sorted({str(t) for t in found}))
                notes.append(NotKnownAsEmpty(column, told, len(found)))
    return tuple(notes)


# Zeros before a number, but not those behind a decimal sign.
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
# How many sets of labels a note spells out.
_SPELLED = 20


def look_alikes(texts: Iterable[str | None], /) -> tuple[tuple[str, ...], ...]:
    """Return the sets of labels that are written differently and read the same.

    Case, blanks, characters that are not seen, leading zeros and the form in which Unicode writes a
    character make no difference for a reader, and make two labels for a program.

    Parameters
    ----------
    texts : iterable of str or None
        Labels.

    Examples
    --------
    >>> look_alikes(["B07", "b 7", "B08", "1.05", "1.5"])
    (('B07', 'b 7'),)
    """
    found: dict[str, list[str]] = {}
    for text in sorted({t for t in texts if t is not None}):
        found.setdefault(_as_read(text), []).append(text)
    return tuple(tuple(same) for same in found.values() if len(same) > 1)


def _as_read(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    text = "".join(text.casefold().split())
    return _LEADING_ZEROS.sub("", text) if "0" in text else text


def _shown(text: str) -> str:
    """Return a text so that what is not seen is seen."""
    plain = text.isprintable() and unicodedata.is_normalized("NFKC", text)
    return text if plain else text.encode("unicode_escape").decode()


@dataclass(frozen=True)
class LookAlikeLabels(Note):
    """Labels that read the same are written differently, and count as different ones.

    Write each label in one way in the whole table. Labels that truly differ are better told apart
    by more than case, blanks or leading zeros.
    """

    code: ClassVar[str] = "look-alike-labels"
    column: str
    labels: tuple[tuple[str, ...], ...]
    n_sets: int

    def __str__(self) -> str:
        each = [" and ".join(f"'{_shown(one)}'" for one in same) for same in self.labels]
        more = f"; {self.n_sets - 5} more" if self.n_sets > 5 else ""
        return (
            f"column '{self.column}': {'; '.join(each[:5])}{more} read the same and count as "
            "different. If they are one, what is of one is taken for two that are known to differ."
        )


@dataclass(frozen=True)
class NearlyKnownColumn(Note):
    """A column looks like one that drugsig knows under another name, and was not used.

    Say what it is, or give it a name that is less like the other if it is something else.
    """

    code: ClassVar[str] = "nearly-known-column"
    column: str
    known: str
    remedy: str = ""

    def __str__(self) -> str:
        say = f"say {self.remedy}, or " if self.remedy else ""
        return (
            f"column '{self.column}' was not used, although it looks like '{self.known}', which "
            f"decides what is compared. If it is that, {say}name it '{self.known}' in the table."
        )


# What a heading may say besides the thing itself.
_ENDINGS = re.compile(r"(?:id|ids|nr|no|num|number|name|code|key)+$")
_OTHER_WORDS = {
    "sequence": ("seq", "sequenz", "secuencia", "sequenza", "sekvens", "sequentie"),
    "specimen": ("specimens",),
    "epoch": ("epochs", "epoche", "epoque", "epoca"),
}


def nearly_named(profiles: ProfileSet, known: str, /) -> tuple[str, ...]:
    """Return columns that are named nearly as a known one is, where that is not there.

    Parameters
    ----------
    profiles : ProfileSet
        With metadata.
    known : str
        The name that is looked for.
    """
    if known in profiles.metadata_columns:
        return ()
    stem = _stem(known)
    words = {stem, *_OTHER_WORDS.get(stem, ())}
    return tuple(c for c in profiles.metadata_columns if _stem(c) in words)


def _stem(heading: str) -> str:
    plain = "".join(c for c in _plain(heading) if c.isalnum())
    return _ENDINGS.sub("", plain) or plain


def look_alike_notes(
    profiles: ProfileSet, columns: Sequence[str], /
) -> tuple[LookAlikeLabels, ...]:
    """Return what must be said of labels in columns that read the same.

    Parameters
    ----------
    profiles : ProfileSet
        With metadata.
    columns : sequence of str
        Those that are looked at.
    """
    notes = []
    for column in dict.fromkeys(columns):
        texts = profiles.column(column)
        nothing = without_meaning(column, texts)
        found = look_alikes(t for t in set(texts) if t not in nothing)
        if found:
            notes.append(LookAlikeLabels(column, found[:_SPELLED], len(found)))
    return tuple(notes)

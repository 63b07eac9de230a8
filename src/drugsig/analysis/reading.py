"""`read_analysis`: an analysis as a result folder holds it."""

from __future__ import annotations

import json
import tomllib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import listed
from drugsig._files import sha256_of
from drugsig._notes import Note, emit
from drugsig.analysis.analysis import Analysis
from drugsig.analysis.headings import told
from drugsig.analysis.record import ComparedRecord, Record, record_of
from drugsig.comparison.comparability import Treatment
from drugsig.comparison.comparison import Comparison, undefined_scores
from drugsig.comparison.links import Links, links_of
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.undefined_pairs import ListedScores
from drugsig.errors import DrugsigError, ReadError
from drugsig.evidence.pairs import PairSample, sampled
from drugsig.evidence.searched_threshold import drawn_sample
from drugsig.evidence.threshold import Threshold
from drugsig.groups.groups import Groups
from drugsig.profiles.history import Step
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables import read_profiles, read_table
from drugsig.protocols.target import Target

__all__ = ["CONFIG", "LINKS", "MANIFEST", "PROFILES", "RECORD", "SCORES", "AddedFiles",
           "read_analysis"]  # fmt: skip

MANIFEST = "manifest.json"
RECORD = "analysis.json"
PROFILES = "profiles.csv"
SCORES = "scores.npz"
LINKS = "links.csv"
CONFIG = "analysis.toml"

# No manifest is larger: it holds one line a file and the main figures.
_MOST_MANIFEST = 64_000_000

# Besides the numbers an archive of scores holds the ids, as four bytes a letter.
_ARCHIVE_SPARE = 4_096

_ARCHIVE_FAULTS = (
    *(OSError, EOFError, KeyError, ValueError, TypeError, NotImplementedError, SyntaxError),
    *(MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True)
class AddedFiles(Note):
    """A result folder holds files that the analysis did not write.

    Nothing was read from them. Whether they belong there is for their owner to say.
    """

    code: ClassVar[str] = "added-files"
    folder: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"Result folder '{self.folder}' holds {listed(self.files)}, which the analysis did not "
            "write. Nothing was read from there."
        )


def read_analysis(folder: str | Path, /) -> Analysis:
    """Read an analysis back from its result folder, as it was written.

    Every file is first compared with the manifest. Nothing is analysed anew: scores, links, groups
    and findings are those that were written, and `drugsig.report.render_report` gives the report
    that lies in the folder, byte for byte where the same version wrote it.

    Parameters
    ----------
    folder : path-like
        A folder that `drugsig.analyse` made.

    Returns
    -------
    Analysis
        What the folder holds.

    Raises
    ------
    ReadError
        If the folder was not written to its end, a file is missing or was changed (it is named), a
        newer version wrote it, or its files contradict each other.

    Warns
    -----
    DataWarning
        If the folder holds a file that the analysis did not write.

    Notes
    -----
    The manifest lies in the same folder and is not signed: whoever changes a file can write a
    manifest that fits. What is read is *as written*, which is less than genuine.
    """
    place = Path(folder)
    added = _checked(place)
    try:
        record = record_of((place / RECORD).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ReadError(
            f"'{RECORD}' of result folder '{place}' cannot be read: {error}.", path=place / RECORD
        ) from error
    try:
        analysis = _restored(place, record, added)
    except ReadError:
        raise
    except (DrugsigError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise ReadError(
            f"the files of result folder '{place}' contradict each other: {error}. Analyse again "
            f"from '{CONFIG}'.",
            path=place / RECORD,
        ) from error
    emit(added)
    return analysis


def _checked(place: Path) -> tuple[Note, ...]:
    """Compare every file with the manifest; return what is there besides."""
    if not place.is_dir():
        raise ReadError(f"there is no result folder '{place}'.", path=place)
    if not (place / MANIFEST).is_file():
        raise ReadError(
            f"folder '{place}' holds no '{MANIFEST}': it is no result folder, or was not written "
            "to its end.",
            path=place,
        )
    files = _files_of(place)
    for name, digest in files.items():
        path = place / name
        if not path.is_file():
            raise ReadError(
                f"result folder '{place}' lacks '{name}', which was written.", path=path
            )
        try:
            found = sha256_of(path)
        except OSError as error:
            raise ReadError(f"'{path}' cannot be read: {error.strerror}.", path=path) from error
        if found != digest:
            raise ReadError(
                f"'{name}' of result folder '{place}' was changed since it was written: its "
                f"sha256 is {found[:12]}..., the manifest says {digest[:12]}....",
                path=path,
            )
    added = sorted(p.name for p in place.iterdir() if p.name not in {*files, MANIFEST})
    return (AddedFiles(place.name, tuple(added)),) if added else ()


def _files_of(place: Path) -> dict[str, str]:
    """Return the digests of the files that were written, by name."""
    path = place / MANIFEST
    try:
        if path.stat().st_size > _MOST_MANIFEST:
            raise ValueError(f"it is larger than {_MOST_MANIFEST:,} bytes")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ReadError(
            f"'{MANIFEST}' of result folder '{place}' cannot be read: {error}.", path=path
        ) from error
    files = data.get("files") if isinstance(data, dict) else None
    if not isinstance(files, dict) or not all(
        isinstance(digest, str) and name == Path(name).name and name not in ("", ".", "..")
        for name, digest in files.items()
    ):
        raise ReadError(
            f"'{MANIFEST}' of result folder '{place}' does not name the files of an analysis.",
            path=path,
        )
    for name in (RECORD, PROFILES, LINKS, CONFIG):
        if name not in files:
            raise ReadError(
                f"'{MANIFEST}' of result folder '{place}' does not name '{name}': another version "
                "of drugsig wrote it, or it holds the result of another job.",
                path=path,
            )
    return files


def _restored(place: Path, record: Record, added: tuple[Note, ...]) -> Analysis:
    profiles = read_profiles(place / PROFILES)
    _agree(profiles.digest == record.profiles_digest, f"'{PROFILES}' holds other profiles")
    compared = _compared(record.compared, profiles)
    metric = get_metric(record.metric)
    comparison = _comparison(place / SCORES, record, compared, metric)
    limit = record.threshold
    threshold = Threshold(
        metric.check_threshold(limit.value),
        metric,
        limit.origin,
        limit.error_rates,
        limit.target_rate,
        limit.by_rate,
        limit.notes,
        Treatment.of(compared),
    )
    _agree({c.profile_id for c in record.checks} == set(profiles.ids), "checks are of others")
    _agree(set(record.undecided) <= set(compared.ids), "undecided profiles are not compared")
    if record.runs is not None:
        runs = record.runs
        _agree(len(runs.tables) == len(profiles), "there is not one peak table a profile")
        _agree(
            tuple(r.profile_id for r in runs.checks.runs) == profiles.ids
            and all(tuple(c.target for c in runs.checks.targets) == t.targets for t in runs.tables),
            "the checks of the runs are of others",
        )
    return Analysis(
        profiles=profiles,
        compared=compared,
        recipe=Recipe.parse(record.recipe),
        checks=record.checks,
        comparison=comparison,
        threshold=threshold,
        sample=_sample(threshold, comparison, compared, record),
        links=_links(place / LINKS, threshold, comparison, compared, record),
        groups=_groups(record, compared.ids, threshold),
        group_rates=record.group_rates,
        component_rates=record.component_rates,
        undecided=record.undecided,
        true_links=record.true_links,
        least_true_links=record.least_true_links,
        notes=(*record.notes, *told(added)),
        seed=record.seed,
        uncapped=record.uncapped,
        runs=record.runs,
        inputs=record.inputs,
        config=_config(place / CONFIG),
        versions=record.versions,
        run_digest=record.run_digest,
        matrices=record.matrices,
    )


def _agree(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)


def _config(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _compared(told: ComparedRecord, profiles: ProfileSet) -> ProfileSet:
    table = profiles.select(told.ids).profiles
    made = ProfileSet(
        told.values,
        [Target(*target) for target in told.targets],
        table,
        status=told.status,
        limits=told.limits,
        uncertainty=told.uncertainty,
        history=[Step(*step) for step in told.history],
        name=told.name,
    )
    _agree(made.ids == told.ids, "the compared profiles are not in the order of their ids")
    _agree(made.digest == told.digest, f"'{RECORD}' holds other compared profiles than it says")
    return made


def _comparison(
    path: Path, record: Record, compared: ProfileSet, metric: Metric
) -> Comparison | None:
    """Return all scores, where they were formed."""
    _agree(record.way in ("dense", "sparse"), "it is not said which scores were formed")
    _agree((record.way == "sparse") == (record.self_scores is None), "scores are of another way")
    if record.self_scores is None:
        return None
    if not path.is_file():
        raise ReadError(f"result folder '{path.parent}' lacks '{path.name}'.", path=path)
    return Comparison(
        scores=_scores(path, len(compared), record.self_scores),
        row_ids=compared.ids,
        column_ids=compared.ids,
        metric=metric,
        symmetric=True,
        min_measured=record.min_measured,
        row_measured=compared.measured,
        column_measured=compared.measured,
        row_detected=compared.detected,
        column_detected=compared.detected,
        row_digest=compared.digest,
        column_digest=compared.digest,
        treatment=Treatment.of(compared),
    )


def _scores(path: Path, n: int, own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix of scores, whose upper half is on file."""
    pairs = n * (n - 1) // 2
    try:
        with path.open("rb") as file:
            with zipfile.ZipFile(file) as archive:
                size = archive.getinfo("scores.npy").file_size
            _agree(size <= 8 * pairs + _ARCHIVE_SPARE, f"it declares {size:,} bytes of scores")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                found = np.asarray(arrays["scores"])
    except _ARCHIVE_FAULTS as error:
        raise ReadError(f"'{path}' cannot be read: {error}.", path=path) from error
    _agree(found.dtype == np.float64 and found.shape == (pairs,), "scores are of other pairs")
    _agree(own.shape == (n,), "self-scores are of other profiles")
    matrix = np.empty((n, n))
    matrix[np.diag_indices(n)] = own
    rows, columns = np.triu_indices(n, k=1)
    matrix[rows, columns] = matrix[columns, rows] = found
    return matrix


def _sample(
    threshold: Threshold, comparison: Comparison | None, compared: ProfileSet, record: Record
) -> PairSample | None:
    """Return the pairs behind the error rates: those of known source under the rule."""
    rates = threshold.error_rates
    if rates is None:
        return None
    if comparison is None:
        sample, known = drawn_sample(
            compared,
            rates.rule,
            metric=threshold.metric,
            min_measured=record.min_measured,
            rng=np.random.default_rng(record.seed),
        )
        n_unlinked, n_apart = known.n_unlinked, int((known.counts.source_partners > 0).sum())
    else:
        sample, _ = sampled(comparison, compared, rates.rule)
        n_unlinked, n_apart = sample.n_unlinked, sample.n_unlinked_sources
    _agree(
        (sample.n_linked, n_unlinked, sample.n_linked_sources, n_apart)
        == (rates.n_linked, rates.n_unlinked, rates.n_linked_sources, rates.n_unlinked_sources),
        "the error rates rest on other pairs than those of the population rule",
    )
    return sample


def _links(
    path: Path,
    threshold: Threshold,
    comparison: Comparison | None,
    compared: ProfileSet,
    record: Record,
) -> Links:
    """Return the links by their two profiles; what else stands beside them follows from those."""
    columns, rows = read_table(path)
    place = {name: k for k, name in enumerate(compared.ids)}
    one, other = columns.index("questioned"), columns.index("reference")
    first = np.array([place[row[one]] for row in rows], dtype=np.intp)
    second = np.array([place[row[other]] for row in rows], dtype=np.intp)
    written = np.array([_number(row[columns.index("score")]) for row in rows], dtype=np.float64)
    _agree(bool((first < second).all()), f"'{path.name}' holds a pair the wrong way round")
    if comparison is None:
        listed = ListedScores(compared, threshold.metric, record.min_measured)
        found, sizes = listed.scores(first, second), listed.prepared.sizes
        _agree(np.array_equal(found, written), f"'{path.name}' and '{PROFILES}' differ")
    else:
        found, sizes = comparison.scores[first, second], comparison.row_sizes
        _agree(np.array_equal(found, written), f"'{path.name}' and '{SCORES}' differ")
    n = len(compared)
    undefined = record.undefined
    _agree(0 <= undefined <= n * (n - 1) // 2, "more pairs have no score than there are")
    masks = compared.measured, compared.detected
    made = links_of(
        first,
        second,
        found,
        row_masks=masks,
        column_masks=None,
        row_ids=compared.ids,
        column_ids=compared.ids,
        metric=threshold.metric,
        threshold=threshold.value,
        comparisons=n * (n - 1) // 2,
        undefined=undefined,
        symmetric=True,
        min_measured=record.min_measured,
        **threshold.chance,
        notes=undefined_scores(
            undefined,
            n * (n - 1) // 2,
            threshold.metric,
            record.min_measured,
            record.groups.undefined_ids,
        ),
        row_sizes=sizes,
        column_sizes=sizes,
    )
    _agree(len(set(zip(made.rows, made.columns, strict=True))) == len(made), "a link stands twice")
    return made


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _groups(record: Record, ids: tuple[str, ...], threshold: Threshold) -> Groups:
    told = record.groups
    n = len(ids)
    members = told.tree_members
    for what in (told.labels, told.components):
        _agree(what.shape == (n,), "groups are of other profiles")
        used = np.unique(what)
        _agree(np.array_equal(used, np.arange(1, len(used) + 1)), "groups have gaps")
    _agree(
        bool(
            members.ndim == 1
            and len(set(members.tolist())) == len(members)
            and members.min(initial=0) >= 0
            and members.max(initial=0) < max(n, 1)
            and told.tree.shape in ((max(len(members) - 1, 0), 4), (0, 4))
        ),
        "the tree is of other profiles",
    )
    return Groups(
        ids=ids,
        labels=told.labels.astype(np.intp),
        components=told.components.astype(np.intp),
        linkage=told.linkage,
        threshold=threshold.value,
        metric=threshold.metric,
        tree=told.tree,
        tree_members=members.astype(np.intp),
        cophenetic_correlation=told.cophenetic_correlation,
        undefined_ids=told.undefined_ids,
        competing_ids=told.competing_ids,
        below_cut=told.below_cut,
    )

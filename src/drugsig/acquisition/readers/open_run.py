"""A run on its way from a file: its header, and its scans one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from drugsig._notes import Note
from drugsig.acquisition.readers.points import Points, RawScan, ScanGate, collect, make_run
from drugsig.acquisition.readers.suitability import UnsuitableRun
from drugsig.acquisition.run import Run, RunMetadata, Scan

__all__ = ["OpenRun", "ScanStream"]

# A chromatographic peak alone takes about as many scans.
FEW_SCANS = 10

SORTED_NOTE = "the points were not in the order of m/z in the file; they are sorted"


@dataclass(eq=False)
class OpenRun:
    """A file whose header was read and whose scans are still to come.

    Parameters
    ----------
    path : Path
        The file or folder.
    metadata : RunMetadata
        What the header says.
    scans : callable
        Returns the scans, in the order of the file.
    close : callable
        Lets go of the file.
    points : callable, optional
        Returns all scans at once, where the format has a faster way than one by one.
    doubts : list of str
        Why the run may be unsuitable.
    late_notes : list of str
        What was found while the scans were read.
    """

    path: Path
    metadata: RunMetadata
    scans: Callable[[], Iterator[RawScan]]
    close: Callable[[], None]
    points: Callable[[], Points] | None = None
    doubts: list[str] = field(default_factory=list)
    late_notes: list[str] = field(default_factory=list)

    def run(self) -> Run:
        """Read everything, check it, and let go of the file."""
        try:
            points = self.points() if self.points is not None else collect(self.scans())
        finally:
            self.close()
        run, was_sorted = make_run(points, self.metadata, path=self.path)
        notes = [*self.metadata.notes, *self.late_notes]
        if not was_sorted:
            notes.append(SORTED_NOTE)
        if len(run) < FEW_SCANS:
            self.doubts.append(f"{len(run)} scans are no chromatogram")
        share = run.tic_disagreement
        if share:
            notes.append(
                f"the stated total ion current differs from the sum of the points in {share:.1%} "
                "of the scans: points were subtracted, rounded or left out after it was taken"
            )
        notes += self.doubts
        metadata = replace(self.metadata, notes=tuple(notes))
        return Run(
            scan_times_s=run.scan_times_s,
            offsets=run.offsets,
            mz=run.mz,
            intensity=run.intensity,
            stated_tic=run.stated_tic,
            metadata=metadata,
            notes=self.notes,
        )

    @property
    def notes(self) -> tuple[Note, ...]:
        """Why the run may be unsuitable, as far as it was read."""
        return (UnsuitableRun(self.path.name, tuple(self.doubts)),) if self.doubts else ()


class ScanStream(Iterator[Scan]):
    """The scans of a file, read one after the other; made by `drugsig.iter_scans`.

    It holds one scan at a time. The file is let go of when the last scan was read, on `close`,
    and at the end of a ``with`` block.

    Parameters
    ----------
    source : OpenRun
        The opened file.
    """

    def __init__(self, source: OpenRun) -> None:
        self._source = source
        self._gate = ScanGate(source.path)
        self._scans: Iterator[RawScan] | None = source.scans()

    @property
    def metadata(self) -> RunMetadata:
        """What the header says, with the notes of the scans that were read so far."""
        notes = [*self._source.metadata.notes, *self._source.late_notes]
        if not self._gate.was_sorted:
            notes.append(SORTED_NOTE)
        return replace(self._source.metadata, notes=(*notes, *self._source.doubts))

    @property
    def notes(self) -> tuple[Note, ...]:
        """Why the run may be unsuitable, as far as its header says."""
        return self._source.notes

    def __iter__(self) -> ScanStream:
        return self

    def __next__(self) -> Scan:
        if self._scans is None:
            raise StopIteration
        try:
            raw = next(self._scans, None)
            if raw is not None:
                return self._gate.check(raw)
            self._gate.finish()
        except BaseException:
            self.close()
            raise
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Let go of the file; what was not read yet is not read any more."""
        if self._scans is not None:
            self._scans = None
            self._source.close()

    def __enter__(self) -> ScanStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._scans is None else "open"
        return f"<ScanStream of '{self._source.metadata.file_name}': {state}>"

"""`drugsig info` and `drugsig example`: look at a file, or make some."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import click

from drugsig._files import array_shapes
from drugsig.cli.group import cli
from drugsig.errors import ReadError

__all__ = ["example", "info"]


@cli.command(short_help="What a file holds, before anything is computed.")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--sheet", help="The sheet of a workbook.")
@click.option("--id-column", multiple=True, help="The column with ids; repeat to join several.")
@click.option(
    "--decimal", type=click.Choice([".", ","]), help="The decimal sign, if it is unclear."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def info(
    path: Path, sheet: str | None, id_column: tuple[str, ...], decimal: str | None, as_json: bool
) -> None:
    """Show what FILE holds: a table, a run, a fitted model or an index of profiles."""
    from drugsig.profiles.tables import describe_table

    told = _archive_info(path) or _run_info(path)
    if told is not None:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else _lines(told))
        return
    found = describe_table(path, sheet=sheet, id_column=list(id_column) or None, decimal=decimal)
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo(str(found))


def _archive_info(path: Path) -> dict[str, Any] | None:
    """Return what a fitted model, an index or arrays say of themselves; None for other files."""
    from drugsig.comparison import load_index
    from drugsig.evidence.models import load_model

    if path.suffix.lower() != ".npz":
        return None
    told = []
    for kind, load in (("fitted model", load_model), ("index of profiles", load_index)):
        try:
            found = load(path)
        except ReadError as error:
            told.append(str(error))
            continue
        notes = [str(note) for note in getattr(found, "notes", ())]
        return {"holds": repr(found)[1:-1], "format": f"{kind}, drugsig", "notes": notes}
    try:
        with zipfile.ZipFile(path) as archive:
            shapes = [f"{name} {shape}" for name, (shape, _) in array_shapes(archive).items()]
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise ReadError(f"{' '.join(told)} Nor does it hold arrays: {error}.", path=path) from error
    return {"holds": f"{len(shapes)} arrays", "format": "NumPy archive", "notes": shapes}


def _run_info(path: Path) -> dict[str, Any] | None:
    """Return what the header of a run or a trace says; None if the file is neither.

    Raises
    ------
    RunError, MissingExtraError
        If it is a run that is not read.
    """
    from drugsig.acquisition.readers.detect import looks_like_a_run, sniff
    from drugsig.acquisition.reading import run_of_file, trace_of_file
    from drugsig.errors import RunError

    refused: list[Exception] = []
    for read in (run_of_file, trace_of_file):
        try:
            # What makes a run unsuitable stands among the notes of its header.
            found = read(path)
        except (RunError, ImportError) as error:
            refused.append(error)
            continue
        header = found.metadata
        told: dict[str, Any] = {"holds": repr(found)[1:-1], "format": header.format}
        for key in ("sample_name", "acquired", "operator", "method", "instrument", "ionisation"):
            if getattr(header, key):
                told[key] = getattr(header, key)
        told["notes"] = list(header.notes)
        return told
    try:
        is_run = looks_like_a_run(path, sniff(path))
    except RunError:
        is_run = False
    # Why a run is not read says more than that it is no table.
    if is_run:
        raise refused[0]
    return None


def _lines(told: dict[str, Any]) -> str:
    rows = [(k, v) for k, v in told.items() if k != "notes"]
    rows += [("note", note) for note in told["notes"]]
    return "\n".join(f"{key + ':':14}{value}" for key, value in rows)


@cli.command(short_help="Write example data with known truth.")
@click.argument("name", metavar="NAME")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
def example(name: str, directory: Path) -> None:
    """Write the example NAME into the folder DIR, with its truth beside.

    NAME is "profiles": about 200 simulated profiles in a messy workbook; "casework": simulated
    runs; "validation": profiles of known batches, for validating likelihood ratios.
    """
    from drugsig.datasets import EXAMPLES, write_example

    folder = write_example(name, directory)
    start = folder / EXAMPLES[name].start
    job = "validate" if start.stem == "validation" else "analyse"
    click.echo(f"Example '{name}' written to {folder}.")
    click.echo(f"Next: drugsig {job} {start} --out {folder}-result --open")

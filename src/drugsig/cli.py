"""The command `drugsig`: thin; parse, call the workflow, print."""

from __future__ import annotations

import json
import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from drugsig.errors import DrugsigError, DrugsigWarning, OutputError

__all__ = ["analyse", "check", "cli", "example", "info", "list_all", "main", "protocols", "show"]

# Exit codes. 2 is click's own for a command line it cannot read.
EXIT_DONE = 0
EXIT_BUG = 1
EXIT_INPUT = 3
EXIT_OUTPUT = 4
EXIT_PARTLY = 5
EXIT_INTERRUPTED = 130


def _number(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Read a number with a decimal point or a decimal comma."""
    if value is None:
        return None
    try:
        return float(value.replace(",", "."))
    except ValueError as error:
        raise click.BadParameter(f"'{value}' is not a number", context, option) from error


# A keyword of the library in an error message: on the command line it has another form.
_KEYWORD = re.compile(r"\b([a-z_]+)=['\[{\"]")

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"drugsig {version('drugsig')}")
        context.exit()


@click.group(context_settings=_CONTEXT)
@click.option("--debug", is_flag=True, help="Show where in the code an error arose.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and leave.",
)
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Compare chemical profiles of seized drugs and group them by probable common source.

    Start with the example:

    \b
      drugsig example profiles demo
      drugsig analyse demo/analysis.toml --out demo-result --open

    Exit codes: 0 done, 2 the command line cannot be read, 3 the input cannot be used, 4 the results
    cannot be written, 5 done but for some runs that cannot be read, 130 interrupted, 1 a fault in
    drugsig.
    """
    context.obj = {"debug": debug}


@cli.command(short_help="From a table of profiles to groups and a report.")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder to make.")
@click.option("--protocol", help="For a folder of runs: a protocol file or a built-in name.")
@click.option(
    "--metadata-path",
    type=click.Path(path_type=Path),
    help="Another file with metadata by id: specimen, seizure, kind of run ...",
)
@click.option("--sheet", help="The sheet of a workbook.")
@click.option("--metadata-sheet", help="A sheet of the same workbook with metadata by id.")
@click.option("--id-column", multiple=True, help="The column with ids; repeat to join several.")
@click.option("--metadata", multiple=True, help="A column that is no target; may be repeated.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="TARGET=ROLE",
    help="The part of a target: main, internal_standard, cutting_agent ...; may be repeated.",
)
@click.option(
    "--empty",
    type=click.Choice(["not_measured", "below_lod"]),
    help="What an empty cell means; not measured by default.",
)
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="TEXT=STATUS",
    help="What a text in a target column means: below_lod, below_loq, not_measured, rejected.",
)
@click.option("--target", "targets", multiple=True, help="A column that is a target; repeatable.")
@click.option(
    "--leave-out", multiple=True, metavar="ID", help="A profile to leave out; repeatable."
)
@click.option(
    "--decimal", type=click.Choice([".", ","]), help="The decimal sign, if it is unclear."
)
@click.option("--recipe", help="The pretreatment, as in 'sum | fourth_root' (the default).")
@click.option("--metric", help="The metric; pearson_distance by default.")
@click.option(
    "--rule", help="Known sources: a TOML file with a section [population], or a preset, R1 to R4."
)
@click.option(
    "--threshold",
    callback=_number,
    metavar="NUMBER",
    help="A threshold that is given, not learned.",
)
@click.option(
    "--false-positive-rate",
    callback=_number,
    metavar="NUMBER",
    help="What a learned threshold keeps to; 0.025 by default.",
)
@click.option("--linkage", help="average (the default), single, complete or weighted.")
@click.option("--seed", type=int, help="For resampling.")
@click.option("--decimal-comma", is_flag=True, help="Write tables with decimal commas.")
@click.option("--json", "as_json", is_flag=True, help="Print the main figures as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--open", "open_report", is_flag=True, help="Open the report in the browser.")
def analyse(
    source: Path,
    out: Path,
    rule: str | None,
    roles: tuple[str, ...],
    tokens: tuple[str, ...],
    targets: tuple[str, ...],
    leave_out: tuple[str, ...],
    id_column: tuple[str, ...],
    metadata: tuple[str, ...],
    decimal_comma: bool,
    as_json: bool,
    quiet: bool,
    open_report: bool,
    **options: Any,
) -> None:
    """Read profiles from INPUT, compare them all, group them and write a report.

    INPUT is a table of profiles (CSV, TSV, XLSX), a folder of GC-MS runs (with --protocol), or an
    analysis.toml, which decides everything.
    """
    from drugsig.workflow import analyse as run
    from drugsig.workflow import read_rule
    from drugsig.workflow.outputs import REPORT, summary

    reading = {
        key: value
        for key in ("sheet", "metadata_path", "metadata_sheet", "empty", "decimal")
        if (value := options.pop(key)) is not None
    }
    if id_column:
        reading["id_column"] = id_column[0] if len(id_column) == 1 else list(id_column)
    if metadata:
        reading["metadata"] = list(metadata)
    for key, names in (("targets", targets), ("leave_out", leave_out)):
        if names:
            reading[key] = list(names)
    for key, option, pairs in (("roles", "--role", roles), ("tokens", "--token", tokens)):
        if pairs:
            reading[key] = _pairs(pairs, option)
    known: Any = rule
    if rule is not None and Path(rule).suffix.lower() == ".toml":
        known = read_rule(rule)
    analysis = run(
        source,
        out=out,
        rule=known,
        reading=reading or None,
        decimal_comma=decimal_comma or None,
        progress=not (quiet or as_json),
        **options,
    )
    if as_json:
        click.echo(json.dumps({"out": str(out), **summary(analysis)}, ensure_ascii=False, indent=2))
    elif not quiet:
        figures = summary(analysis)
        click.echo(
            f"{figures['compared']} of {figures['profiles']} profiles compared "
            f"({figures['excluded']} excluded), {figures['links']} links, "
            f"{figures['groups_of_two_or_more']} groups of two or more, {figures['alone']} alone, "
            f"{figures['undecided']} undecided."
        )
        if not figures["validated"]:
            click.echo("The threshold was given and is not validated.")
        click.echo(f"Report: {out / REPORT}")
    if analysis.runs is not None and analysis.runs.errors:
        for name, why in analysis.runs.errors:
            click.echo(f"not read: {name}: {why}", err=True)
        click.get_current_context().exit(EXIT_PARTLY)
    if open_report:
        import webbrowser

        webbrowser.open((out / REPORT).absolute().as_uri())


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
    """Show what FILE holds: columns, targets and guesses of a table, or the header of a run."""
    from drugsig.profiles.tables import describe_table

    told = _run_info(path)
    if told is not None:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else _lines(told))
        return
    found = describe_table(path, sheet=sheet, id_column=list(id_column) or None, decimal=decimal)
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo(str(found))


def _run_info(path: Path) -> dict[str, Any] | None:
    """Return what the header of a run or a trace says; None if the file is neither."""
    from drugsig.acquisition import read_chromatogram, read_run
    from drugsig.errors import RunError

    for read in (read_run, read_chromatogram):
        try:
            with warnings.catch_warnings():
                # What makes a run unsuitable stands among its notes.
                warnings.simplefilter("ignore", DrugsigWarning)
                found = read(path)
        except (RunError, ImportError):
            continue
        header = found.metadata
        told: dict[str, Any] = {"holds": repr(found)[1:-1], "format": header.format}
        for key in ("sample_name", "acquired", "operator", "method", "instrument", "ionisation"):
            if getattr(header, key):
                told[key] = getattr(header, key)
        told["notes"] = list(header.notes)
        return told
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

    NAME is "profiles": about 200 simulated profiles in a messy workbook.
    """
    from drugsig.datasets import write_example

    folder = write_example(name, directory)
    click.echo(f"Example '{name}' written to {folder}.")
    click.echo(f"Next: drugsig analyse {folder / 'analysis.toml'} --out {folder}-result --open")


@cli.group(short_help="What is measured: built-in and own protocols.")
def protocols() -> None:
    """List, show and check protocols: what is measured, how, and what of it is verified."""


@protocols.command("list")
def list_all() -> None:
    """List the built-in protocols."""
    from drugsig.protocols import protocol_table

    click.echo(protocol_table())


@protocols.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the protocol NAME: a built-in one, or a TOML file."""
    from drugsig.protocols import format_protocol, load_protocol

    click.echo(format_protocol(load_protocol(name)))


@protocols.command()
@click.argument("path", type=click.Path(path_type=Path))
def check(path: Path) -> None:
    """Check the protocol file PATH and tell everything that is wrong with it at once."""
    from drugsig.comparison import METRICS
    from drugsig.profiles.pretreatment import Recipe
    from drugsig.protocols import check_protocol

    report = check_protocol(
        path,
        metric_minimum={m.name: m.min_measured for m in METRICS.values()},
        parse_recipe=Recipe.parse,
    )
    click.echo(str(report))
    if not report.is_usable:
        click.get_current_context().exit(EXIT_INPUT)


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, sign, value = text.rpartition("=")
        if not sign or not name:
            shape = "TARGET=ROLE" if option == "--role" else "TEXT=STATUS"
            raise click.UsageError(f"{option} takes {shape}, got '{text}'")
        pairs[name] = value
    return pairs


def _on_the_command_line(message: str) -> str:
    """Say how keywords that a message names are given to the command."""
    named = dict.fromkeys(_KEYWORD.findall(message))
    options = {o.name: o.opts[-1] for o in analyse.params if isinstance(o, click.Option)}
    told = [options[name] for name in named if name in options]
    if not named:
        return ""
    if told:
        return f" (On the command line: {', '.join(told)}.)"
    return " (On the command line: write it into [input] of an analysis.toml.)"


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    label = "note" if issubclass(category, DrugsigWarning) else category.__name__
    click.echo(f"{label}: {message}", err=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exits with its code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the name of the command; that of the process by default.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        warnings.simplefilter("ignore" if "--quiet" in given else "always", DrugsigWarning)
        sys.exit(_run(given))


def _run(given: list[str]) -> int:
    """Run the command and return its exit code; tell every error in one message."""
    try:
        # Without standalone mode click hands the code of an early exit back.
        code = cli.main(args=given, prog_name="drugsig", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return int(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. Nothing half-written was left.", err=True)
        return EXIT_INTERRUPTED
    except DrugsigError as error:
        if "--debug" in given:
            traceback.print_exc()
        click.echo(f"{type(error).__name__}: {error}{_on_the_command_line(str(error))}", err=True)
        return EXIT_OUTPUT if isinstance(error, OutputError) else EXIT_INPUT
    except Exception as error:  # noqa: BLE001 - a fault of drugsig is told in one line as well
        if "--debug" in given:
            traceback.print_exc()
        click.echo(
            f"A fault in drugsig: {type(error).__name__}: {error}. Run it again with "
            "'drugsig --debug ...' and report what it prints.",
            err=True,
        )
        return EXIT_BUG
    return code if isinstance(code, int) else EXIT_DONE


if __name__ == "__main__":
    main()

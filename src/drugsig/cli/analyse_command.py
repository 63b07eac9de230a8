"""`drugsig analyse`: from a table of profiles, or runs, to groups and a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from drugsig.cli.group import EXIT_PARTLY, cli
from drugsig.cli.options import read_number, read_size, reading_of, reads_tables

__all__ = ["analyse"]


@cli.command(short_help="From a table of profiles to groups and a report.")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder to make.")
@click.option("--protocol", help="For a folder of runs: a protocol file or a built-in name.")
@reads_tables
@click.option("--recipe", help="The pretreatment, as in 'sum | fourth_root' (the default).")
@click.option("--metric", help="The metric; pearson_distance by default.")
@click.option(
    "--min-measured",
    type=int,
    help="The least number of targets measured in both; the metric's own number by default.",
)
@click.option(
    "--rule", help="Known sources: a TOML file with a section [population], or a preset, R1 to R4."
)
@click.option(
    "--threshold",
    callback=read_number,
    metavar="NUMBER",
    help="A threshold that is given, not learned.",
)
@click.option(
    "--false-positive-rate",
    callback=read_number,
    metavar="NUMBER",
    help="What a learned threshold keeps to; 0.025 by default.",
)
@click.option(
    "--chance-links",
    callback=read_number,
    metavar="NUMBER",
    help="How many links a learned threshold may make by chance alone, instead of a rate.",
)
@click.option("--linkage", help="average (the default), single, complete or weighted.")
@click.option("--seed", type=int, help="For resampling.")
@click.option("--n-resamples", type=int, help="How often sources are resampled; 2000 by default.")
@click.option(
    "--matrices",
    type=click.Choice(["auto", "dense", "sparse"]),
    help="Whether all scores are formed; up to 3000 profiles by default. The results are the same.",
)
@click.option(
    "--memory", callback=read_size, metavar="SIZE", help="For scores and links; 2.8GB by default."
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask cluster that searches, as in tcp://host:8786."
)
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the scheduler, or for a worker.",
)
@click.option("--decimal-comma", is_flag=True, help="Write tables with decimal commas.")
@click.option("--json", "as_json", is_flag=True, help="Print the main figures as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--open", "open_report", is_flag=True, help="Open the report in the browser.")
def analyse(
    source: Path,
    out: Path,
    rule: str | None,
    memory: float | None,
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

    reading = reading_of(options)
    if memory is not None:
        options["memory"] = memory
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

"""`drugsig links`: every pair that meets a threshold, here or on a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from drugsig.cli.group import cli
from drugsig.cli.options import read_number, read_size, reading_of, reads_tables

__all__ = ["link_search"]


@cli.command("links", short_help="Every pair that meets a threshold, also in large databases.")
@click.argument("questioned", metavar="TABLE", type=click.Path(path_type=Path))
@click.argument("reference", metavar="[REFERENCE]", required=False, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A .csv file to make.")
@click.option(
    "--threshold", required=True, callback=read_number, metavar="NUMBER", help="Equal counts."
)
@click.option("--metric", default="pearson_distance", show_default=True, help="The metric.")
@click.option("--recipe", help="The pretreatment, as in 'sum | fourth_root'; none by default.")
@reads_tables
@click.option("--min-measured", type=int, help="Targets that must be measured in both profiles.")
@click.option("--across-epochs", is_flag=True, help="Compare across comparability epochs.")
@click.option(
    "--false-positive-rate",
    callback=read_number,
    metavar="NUMBER",
    help="The share of unlinked pairs that meet the threshold: tells what chance alone makes.",
)
@click.option("--scheduler", metavar="ADDRESS", help="A Dask cluster, as in tcp://host:8786.")
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the scheduler, or for a worker.",
)
@click.option(
    "--shards",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep what was found there, and go on from it after a stop.",
)
@click.option(
    "--memory", callback=read_size, metavar="SIZE", help="For the links; 2 GB by default."
)
@click.option("--workers", type=int, help="Threads of this machine; one a processor by default.")
@click.option("--decimal-comma", is_flag=True, help="Write the table with decimal commas.")
@click.option("--json", "as_json", is_flag=True, help="Print what was searched as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def link_search(
    questioned: Path,
    reference: Path | None,
    out: Path,
    memory: float | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Find every pair of profiles that meets a threshold, and write them to a table.

    TABLE is compared with itself, or with REFERENCE. What was searched is written beside the
    table, with .json added to its name.
    """
    from drugsig.workflow.link_search import search_links

    reading = reading_of(options)
    if memory is not None:
        options["memory"] = memory
    try:
        done = search_links(
            questioned,
            reference,
            out=out,
            reading=reading,
            progress=not (quiet or as_json),
            **options,
        )
    except KeyboardInterrupt:
        if options["shards"] is not None:
            click.echo(f"Kept in {options['shards']}: give the same command to go on.", err=True)
        raise
    if as_json:
        click.echo(json.dumps({"out": str(out), **done.facts}, ensure_ascii=False, indent=2))
    elif not quiet:
        click.echo(f"{repr(done.links)[8:-1]}.\nWritten to {out}.")

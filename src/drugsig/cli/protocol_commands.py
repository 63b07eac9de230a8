"""`drugsig protocols`: list, show and check what is measured."""

from __future__ import annotations

from pathlib import Path

import click

from drugsig.cli.group import EXIT_INPUT, cli

__all__ = ["check", "list_all", "protocols", "show"]


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

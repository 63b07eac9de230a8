"""The command itself, its exit codes, and the options before a subcommand."""

from __future__ import annotations

import click

__all__ = [
    "EXIT_BUG",
    "EXIT_DONE",
    "EXIT_INPUT",
    "EXIT_INTERRUPTED",
    "EXIT_OUTPUT",
    "EXIT_PARTLY",
    "cli",
]

# Exit codes. 2 is click's own for a command line it cannot read.
EXIT_DONE = 0
EXIT_BUG = 1
EXIT_INPUT = 3
EXIT_OUTPUT = 4
EXIT_PARTLY = 5
EXIT_INTERRUPTED = 130

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

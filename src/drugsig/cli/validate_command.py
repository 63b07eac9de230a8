"""`drugsig validate`: how a likelihood ratio method does on sources it was not fitted to."""

from __future__ import annotations

import json
from pathlib import Path

import click

from drugsig.cli.group import cli

__all__ = ["validate"]


@cli.command(short_help="How good likelihood ratios are: a validation report and the model.")
@click.argument("source", metavar="VALIDATION.TOML", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder to make.")
@click.option("--json", "as_json", is_flag=True, help="Print the main figures as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--open", "open_report", is_flag=True, help="Open the report in the browser.")
def validate(source: Path, out: Path, as_json: bool, quiet: bool, open_report: bool) -> None:
    """Validate the likelihood ratio method that VALIDATION.TOML describes.

    Written are validation.html, validation.json and model.npz, the model fitted to all profiles,
    which carries this validation. A figure that fails is a result, not an error: the exit code
    is 0.
    """
    from drugsig.workflow.validating import (
        MODEL,
        REPORT,
        told_lines,
        validate_method,
        validation_summary,
    )

    made = validate_method(source, out=out, progress=not (quiet or as_json))
    if as_json:
        told = {"out": str(out), **validation_summary(made.report)}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif not quiet:
        for line in told_lines(made.report):
            click.echo(line)
        click.echo(f"Report: {out / REPORT}")
        click.echo(f"Model:  {out / MODEL}")
    if open_report:
        import webbrowser

        webbrowser.open((out / REPORT).absolute().as_uri())

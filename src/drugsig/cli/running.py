"""Run the command: one message for every error, and an exit code."""

from __future__ import annotations

import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

import click

from drugsig.cli.analyse_command import analyse
from drugsig.cli.group import (
    EXIT_BUG,
    EXIT_DONE,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_OUTPUT,
    cli,
)
from drugsig.cli.validate_command import validate
from drugsig.errors import DrugsigError, DrugsigWarning, OutputError

__all__ = ["main"]

# A keyword of the library in an error message: on the command line it has another form.
_KEYWORD = re.compile(r"\b([a-z_]+)=(['\[{\"]|<|\.\.\.)")


def _on_the_command_line(message: str, given: Sequence[str]) -> str:
    """Say how keywords that a message names are given to the command."""
    named = dict(_KEYWORD.findall(message))
    command = next((cli.commands[word] for word in given if word in cli.commands), analyse)
    options = {o.name: o.opts[-1] for o in command.params if isinstance(o, click.Option)}
    told = [options[name] for name in named if name in options]
    if told:
        return f" (On the command line: {', '.join(told)}.)"
    # How a table is read can be said in a file; where a keyword takes what the reader chooses, the
    # message says what it is.
    if not any(value in ("'", '"', "[", "{") for value in named.values()):
        return ""
    file = "a validation.toml" if command is validate else "an analysis.toml"
    return f" (On the command line: write it into [input] of {file}.)"


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
        click.echo(
            f"{type(error).__name__}: {error}{_on_the_command_line(str(error), given)}", err=True
        )
        return EXIT_OUTPUT if isinstance(error, OutputError) else EXIT_INPUT
    except MemoryError as error:
        click.echo(
            f"There is not enough memory for this ({str(error) or 'no size was told'}). Take fewer "
            "profiles at a time, or a machine with more memory.",
            err=True,
        )
        return EXIT_INPUT
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

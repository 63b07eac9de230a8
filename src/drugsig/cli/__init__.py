"""The command `drugsig`: thin; parse, call the workflow, print."""

from drugsig.cli.analyse_command import analyse
from drugsig.cli.file_commands import example, info
from drugsig.cli.group import (
    EXIT_BUG,
    EXIT_DONE,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_OUTPUT,
    EXIT_PARTLY,
    cli,
)
from drugsig.cli.links_command import link_search
from drugsig.cli.protocol_commands import check, list_all, protocols, show
from drugsig.cli.running import main
from drugsig.cli.validate_command import validate

__all__ = [
    "EXIT_BUG",
    "EXIT_DONE",
    "EXIT_INPUT",
    "EXIT_INTERRUPTED",
    "EXIT_OUTPUT",
    "EXIT_PARTLY",
    "analyse",
    "check",
    "cli",
    "example",
    "info",
    "link_search",
    "list_all",
    "main",
    "protocols",
    "show",
    "validate",
]

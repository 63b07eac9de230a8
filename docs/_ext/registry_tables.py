"""Write the parts of the reference that the code itself knows: registries, names, the command.

They are written below ``reference/generated`` when the documentation is built, and are included
by pages that say the rest in words.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from sphinx.application import Sphinx
from sphinx.util import logging

import drugsig
from drugsig._notes import NOTES, Note
from drugsig.cli import cli
from drugsig.comparison import METRICS
from drugsig.profiles.pretreatment import STEPS

logger = logging.getLogger(__name__)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def metrics_table() -> str:
    """Return one row a metric: what the score is."""
    rows = [
        (
            f"`{m.name}`",
            m.kind,
            f"{m.low:g} to {m.high:g}".replace("inf", "∞"),
            f"{m.self_value:g}",
            f"`{m.formula}`",
        )
        for m in METRICS.values()
    ]
    return table(("name", "kind", "range", "itself", "formula"), rows)


def metric_rules_table() -> str:
    """Return one row a metric: what happens where the formula alone does not say."""
    rows = [
        (
            f"`{m.name}`",
            m.zero_rule,
            str(m.min_measured),
            m.when_partial,
            "refused" if m.nonnegative else "allowed",
        )
        for m in METRICS.values()
    ]
    return table(("name", "0/0", "least measured", "when partial", "negative values"), rows)


def fitted_metrics_table() -> str:
    """Return one row a metric that carries numbers: how it comes by them."""
    rows = [
        (
            f"`{m.name}`",
            f"`{m.fitting.call}`",
            ", ".join(
                f"`{name}`, chosen from the data" if value is None else f"`{name}={value:g}`"
                for name, value in m.fitting.options
            )
            or "none",
        )
        for m in METRICS.values()
        if m.fitting is not None
    ]
    return table(("name", "fitted by", "options"), rows)


def metric_slack_table() -> str:
    """Return one row a formula: what the slack is a share of, and how far rounding goes."""
    rows, seen = [], set()
    for m in METRICS.values():
        error = m.kernel.error
        if m.kernel in seen or m.needs_fit or error is None:
            continue
        seen.add(m.kernel)
        names = [f"`{other.name}`" for other in METRICS.values() if other.kernel is m.kernel]
        # The largest number of targets for which four times the error keeps within the slack.
        most = max((p for p in range(1, 5000) if 4.0 * error(p) * 2.0**-53 <= 1e-12), default=0)
        slope = error(2) - error(1)
        grows = f"{slope:g} p + {error(1) - slope:g}" if slope else f"{error(1):g}"
        told = f"({grows}) u" + (f", {m.kernel.condition}" if m.kernel.condition else "")
        rows.append(
            (
                ", ".join(names),
                "the range" if m.is_bounded else m.kernel.size_words,
                told,
                "any" if not slope else f"{most}",
            )
        )
    return table(("names", "size", "error, as a share of the size", "targets at most"), rows)


def steps_table() -> str:
    """Return one row a pretreatment step."""
    rows = []
    for rule in STEPS.values():
        defaults = ", ".join(
            f"`{name}`" if value is None else f"`{name}={value}`"
            for name, value in rule.defaults.items()
        )
        rows.append(
            (f"`{rule.name}`", f"`{rule.formula}`", defaults or "none", rule.error, rule.note)
        )
    heads = ("name", "formula", "parameters", "rounding", "to know before choosing it")
    return table(heads, rows)


def kinds_of_note() -> list[type[Note]]:
    """Return every kind of note, by room and code."""
    package = Path(drugsig.__file__).parent
    for path in sorted(package.rglob("*.py")):
        # Those that define one only: others may need packages that are not installed.
        if "(Note):" in path.read_text(encoding="utf-8"):
            parts = path.relative_to(package.parent).with_suffix("").parts
            importlib.import_module(".".join(parts))
    return sorted(NOTES.values(), key=lambda kind: (room_of(kind), kind.code))


def room_of(kind: type[Note]) -> str:
    """Return the room that finds a kind of note."""
    return kind.__module__.split(".")[1]


def notes_table() -> str:
    """Return one row a kind of note: when it comes, and what to do."""
    rows = []
    for kind in kinds_of_note():
        when, _, advice = (inspect.getdoc(kind) or "").partition("\n\n")
        facts = ", ".join(f"`{name}`" for name in inspect.signature(kind).parameters)
        rows.append(
            (
                f"`{kind.code}`",
                room_of(kind),
                " ".join(when.split()),
                " ".join(advice.split()),
                facts,
                "none" if kind.category is None else f"`{kind.category.__name__}`",
            )
        )
    return table(("code", "room", "when it comes", "what to do", "facts", "warning"), rows)


def command_help() -> str:
    """Return the help texts of the command, as they are printed."""
    parts = []
    waiting: list[tuple[click.Command, str, click.Context | None]] = [(cli, "drugsig", None)]
    while waiting:
        command, name, parent = waiting.pop(0)
        context = click.Context(
            command, info_name=name.rpartition(" ")[2], parent=parent, **command.context_settings
        )
        parts.append(f"## `{name}`\n\n```text\n{command.get_help(context)}\n```\n")
        children = getattr(command, "commands", {})
        waiting += [(child, f"{name} {key}", context) for key, child in sorted(children.items())]
    return "\n".join(parts)


def write(app: Sphinx, *_: object) -> None:
    """Write every generated part, touching only what has changed."""
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "metrics-table.md": metrics_table(),
        "metric-rules-table.md": metric_rules_table(),
        "metric-slack-table.md": metric_slack_table(),
        "fitted-metrics-table.md": fitted_metrics_table(),
        "steps-table.md": steps_table(),
        "notes-table.md": notes_table(),
        "command-help.md": command_help(),
    }
    for name, text in parts.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def check_names(app: Sphinx, *_: object) -> None:
    """Warn of names on the front page that the reference leaves out."""
    page = (Path(app.srcdir) / "reference" / "api.md").read_text(encoding="utf-8")
    for name in drugsig.__all__:
        if not re.search(rf"\bdrugsig\.{name}\b", page):
            logger.warning("reference/api.md does not list drugsig.%s", name)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", write)
    app.connect("builder-inited", check_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

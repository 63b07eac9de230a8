"""Every option of an analysis has one name: in Python, on the command line and in the file."""

from __future__ import annotations

import inspect
from dataclasses import fields

import click

from drugsig import analyse, analyse_profiles
from drugsig.cli.analyse_command import analyse as command
from drugsig.cli.options import TABLE_OPTIONS
from drugsig.workflow.config import _SECTIONS, AnalysisConfig

# A section says what its keys are about: the rule is all of one, and the threshold has a value.
NAMED_BY_SECTION = {("population", ""): "rule", ("threshold", "value"): "threshold"}

# What decides no result: where to write, what to show, and what the file says of itself.
NO_OPTIONS_OF_PYTHON = {"out", "progress"}
# On what the work runs, and how much of it: the result is the same on any machine, so no file of an
# analysis says it. The job on profiles takes a client in place of the address of a scheduler.
MEANS = {"memory", "scheduler", "timeout"}
NO_OPTIONS_OF_THE_COMMAND = {"source", "out", "as_json", "quiet", "open_report"}
NO_OPTIONS_OF_THE_FILE = {("drugsig", "format"), ("drugsig", "version")}
FACTS_OF_THE_FILE = {"path", "sha256", "written_by", "protocol_read"}


def keywords(function: object) -> set[str]:
    assert callable(function)
    found = inspect.signature(function).parameters.values()
    return {p.name for p in found if p.kind is inspect.Parameter.KEYWORD_ONLY}


def of_the_file() -> set[str]:
    keys = {(s, k) for s, every in _SECTIONS.items() for k in every} - NO_OPTIONS_OF_THE_FILE
    return {NAMED_BY_SECTION.get(key, key[1]) for key in (*keys, ("population", ""))}


def of_the_command() -> set[str]:
    reading = command
    for option in TABLE_OPTIONS:
        assert callable(option)
    tables = click.Command("x")

    def bare() -> None: ...

    shell = bare
    for option in TABLE_OPTIONS:
        shell = option(shell)
    tables.params = list(getattr(shell, "__click_params__"))  # noqa: B009
    own = {p.name for p in reading.params} - {p.name for p in tables.params}
    assert None not in own
    return {str(name) for name in own} - NO_OPTIONS_OF_THE_COMMAND


def test_the_three_lists_are_one() -> None:
    python = keywords(analyse) - NO_OPTIONS_OF_PYTHON
    # How a file is read is a mapping in Python, a section of the file, and options of a table.
    assert python - {"reading"} == of_the_command()
    assert python - {"reading", "protocol"} - MEANS == of_the_file()
    assert python - MEANS == {f.name for f in fields(AnalysisConfig)} - FACTS_OF_THE_FILE


def test_the_job_on_profiles_has_the_same_names() -> None:
    job = keywords(analyse_profiles) - {"runs", "progress", "memory", "client"}
    of_files = {"decimal_comma", "protocol", "reading"}
    assert job == keywords(analyse) - NO_OPTIONS_OF_PYTHON - MEANS - of_files


def test_an_option_is_written_as_its_name_on_the_command_line() -> None:
    for option in command.params:
        if isinstance(option, click.Option) and option.name in keywords(analyse):
            assert f"--{option.name.replace('_', '-')}" in option.opts

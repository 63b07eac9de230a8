"""What names the version names the same one."""

from __future__ import annotations

import ast
import re
import tomllib

from tests.meta.source_tree import REPOSITORY, modules

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_names_the_version_and_the_licence() -> None:
    text = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    said = dict(re.findall(r"^(\w+): (\S+)$", text, re.MULTILINE))
    assert said["version"] == PROJECT["version"]
    assert said["license"] == PROJECT["license"]
    assert re.findall(r"^  - (?!name)(.+)$", text, re.MULTILINE) == PROJECT["keywords"]


def test_the_changelog_has_the_version_and_what_changed_results() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\S+)", text, re.MULTILINE)
    assert versions[:2] == ["Unreleased", PROJECT["version"]]
    for number, section in enumerate(re.split(r"^## ", text, flags=re.MULTILINE)[2:], start=1):
        assert "### Changed results" in section, versions[number]


def test_every_dependency_of_the_library_has_a_floor_with_a_reason() -> None:
    lines = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    first = lines.index("dependencies = [") + 1
    listed = lines[first : lines.index("]", first)]
    assert len(listed) == len(PROJECT["dependencies"])
    assert [line for line in listed if not re.search(r'">?.*>=.*",\s+# .', line)] == []


def pinned() -> dict[str, str]:
    text = (REPOSITORY / ".ci" / "oldest.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))


def floors(requirements: list[str]) -> dict[str, str]:
    found = (re.match(r"([\w.-]+)(?:\[\w+\])?>=([\d.]+)", line) for line in requirements)
    return {match[1]: match[2] for match in found if match}


def test_the_oldest_dependencies_that_are_tested_are_the_floors() -> None:
    needed = floors(PROJECT["dependencies"])
    testing = {"hypothesis", "pytest", "pytest-xdist"}
    dev = floors(PROJECT["optional-dependencies"]["dev"])
    wanted = needed | {name: dev[name] for name in testing}
    tested = pinned()
    assert set(tested) == set(wanted)
    for name, floor in wanted.items():
        assert re.sub(r"(\.0)+$", "", tested[name]) == re.sub(r"(\.0)+$", "", floor), name


def test_every_dependency_of_the_library_is_used_by_it() -> None:
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [alias.name.split(".")[0] for alias in node.names]
    }
    called = {"scikit-learn": "sklearn", "tomli-w": "tomli_w"}
    needed = {called.get(name, name) for name in floors(PROJECT["dependencies"])}
    assert needed - imported == set()


def test_the_hosted_checks_call_steps_that_there_are() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    known = re.search(r"^known=\((.+)\)$", script, re.MULTILINE)
    assert known is not None
    workflow = (REPOSITORY / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8")
    calls = re.findall(r"^ +- run: bash \.ci/run *(.*)$", workflow, re.MULTILINE)
    assert "" in calls
    assert {step for call in calls for step in call.split()} <= set(known[1].split())

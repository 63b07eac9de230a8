"""What names the version names the same one."""

from __future__ import annotations

import re
import tomllib

from tests.meta.source_tree import REPOSITORY

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

"""Sphinx configuration: no network is needed to build the pages, or to read them."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "drugsig"
author = "The drugsig developers"
project_copyright = "2026, The drugsig developers"
release = importlib.metadata.version("drugsig")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "registry_tables",
]
exclude_patterns = ["_build", "reference/generated/*.md"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"drugsig {release}"
html_show_sourcelink = False

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

# A name in single backticks becomes a link where it is the name of something, and stays text
# where it is a parameter.
default_role = "autolink"
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say types, with shapes and units
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Bases and types of other projects: there are no inventories of theirs without a network.
nitpick_ignore_regex = [
    (r"py:obj", r".*"),  # the autolink role: a name that has no page of its own stays text
    (r"py:.*", r"(numpy|pandas|scipy|sklearn|matplotlib|pathlib|collections|typing)\..*"),
    (r"py:.*", r"(Exception|ValueError|MemoryError|OSError|ImportError|UserWarning|object)"),
    (r"py:.*", r"(enum\.)?(IntEnum|Enum|StrEnum)"),
]

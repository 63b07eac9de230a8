"""The jobs: what the command does is one call here, so that Jupyter has it too."""

from drugsig.workflow.analysing import analyse
from drugsig.workflow.config import AnalysisConfig, read_rule
from drugsig.workflow.link_search import SearchedLinks, search_links
from drugsig.workflow.validating import validate_method
from drugsig.workflow.validation_config import ValidationConfig

__all__ = [
    "AnalysisConfig",
    "SearchedLinks",
    "ValidationConfig",
    "analyse",
    "read_rule",
    "search_links",
    "validate_method",
]

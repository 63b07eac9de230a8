"""What is measured: targets, the parts they play, and the protocols that hold them.

A protocol is data: a TOML file that names targets, ions, retention, pretreatment and metric, each
with its source and with a flag that says whether the value was read there.
"""

from drugsig.protocols.display import format_protocol, protocol_table
from drugsig.protocols.fact import Fact
from drugsig.protocols.measured_target import (
    STABILITY_ACTIONS,
    Identifiers,
    ProtocolTarget,
    Qualifier,
    Quantifier,
    Retention,
    Stability,
)
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.reading import (
    ProtocolReport,
    check_protocol,
    list_protocols,
    load_protocol,
)
from drugsig.protocols.sections import (
    QUALITY_ACTIONS,
    QUALITY_CHECKS,
    TECHNIQUES,
    AnalyticalMethod,
    ComparisonPlan,
    Completeness,
    QualityRule,
    Source,
)
from drugsig.protocols.structure import Problem, protocol_schema
from drugsig.protocols.target import ROLES, Target

__all__ = [
    "QUALITY_ACTIONS",
    "QUALITY_CHECKS",
    "ROLES",
    "STABILITY_ACTIONS",
    "TECHNIQUES",
    "AnalyticalMethod",
    "ComparisonPlan",
    "Completeness",
    "Fact",
    "Identifiers",
    "Problem",
    "Protocol",
    "ProtocolReport",
    "ProtocolTarget",
    "Qualifier",
    "QualityRule",
    "Quantifier",
    "Retention",
    "Source",
    "Stability",
    "Target",
    "check_protocol",
    "format_protocol",
    "list_protocols",
    "load_protocol",
    "protocol_schema",
    "protocol_table",
]

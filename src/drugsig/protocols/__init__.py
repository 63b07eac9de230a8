"""What is measured: targets and the parts they play."""

from drugsig.protocols.target import ROLES, Target

__all__ = ["ROLES", "Target"]

"""What is measured: targets, the parts they play, and the protocols that hold them."""

from drugsig.protocols.target import ROLES, Target

__all__ = ["ROLES", "Target"]

"""Finding the pairs that meet a threshold without scoring every pair."""

from drugsig.comparison.search.whole_pairs import METHODS, WholePairs

__all__ = ["METHODS", "WholePairs"]

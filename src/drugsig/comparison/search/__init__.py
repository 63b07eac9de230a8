"""Finding the pairs that meet a threshold without scoring every pair."""

"""Loaded by workers that are to be slow enough to be lost in the middle of a search."""

from __future__ import annotations

import math
import time
from dataclasses import fields

from drugsig.comparison.distributed import cluster
from drugsig.comparison.distributed.batches import Found, run_batch
from drugsig.comparison.link_search import LinkSearch, TaskLinks

_SECONDS_A_TASK = 0.04


class SlowSearch(LinkSearch):
    def run(self, task: int, /, *, most: float = math.inf) -> TaskLinks:
        time.sleep(_SECONDS_A_TASK)
        return super().run(task, most=most)


def slowed(search: LinkSearch, first: int, last: int, /) -> Found:
    """Do a batch as `run_batch` does."""
    values = {f.name: getattr(search, f.name) for f in fields(search)}
    return run_batch(SlowSearch(**values), first, last)


# Workers load this file more than once: what is put in place must not be what is replaced.
cluster.run_batch = slowed  # type: ignore[assignment, attr-defined]

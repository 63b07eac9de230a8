"""A search for links cut into batches: kept in a folder as they come, run here or on a cluster.

Batches are ranges of the tasks of a `drugsig.comparison.link_search.LinkSearch`. How they are cut,
and who runs them in which order, changes the time and never a link: every task finds the same
wherever it runs, and the links are put in order at the end.
"""

from drugsig.comparison.distributed.cluster import connected
from drugsig.comparison.distributed.running import run_search
from drugsig.comparison.distributed.shards import ShardFolder

__all__ = ["ShardFolder", "connected", "run_search"]

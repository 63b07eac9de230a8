"""Scores on bare arrays: the definition of every metric, summed elementwise in target order.

Arrays are target first, shape (n_targets, ...), and the other axes broadcast, so the same code
scores listed pairs, (p, k) and (p, k), and a block of a matrix, (p, n, 1) and (p, 1, m). Sums run
over targets one after the other, in float64: a score does not depend on the order of profiles, on
the size of a block or on the number of workers.

One module holds one family. Every kernel has two forms of one formula. ``complete`` takes profiles
in which every target was measured, transformed once; ``masked`` takes profiles as they are and a
mask of the targets measured in both. Where the mask is all true they give the same bits.

Sums of squares are combined as ``d / sqrt(saa * sbb)``, because ``sqrt(s * s) == s`` holds
exactly in IEEE arithmetic: a profile scores exactly 1 with an identical one.
"""

from drugsig.comparison.kernels.blocks import BlockPart, Blocks
from drugsig.comparison.kernels.correlation import (
    CONSTANT_TOLERANCE,
    COSINE,
    PEARSON,
    SPEARMAN,
    SQUARED_COSINE,
)
from drugsig.comparison.kernels.differences import (
    BRAY_CURTIS,
    CANBERRA_DROPPING,
    CANBERRA_ZERO,
    EUCLIDEAN,
    MANHATTAN,
)
from drugsig.comparison.kernels.kernel import Kernel, NotFitted
from drugsig.comparison.kernels.log_ratio import AITCHISON
from drugsig.comparison.kernels.quotient import PEAKS_IN_COMMON, QUOTIENT
from drugsig.comparison.kernels.summing import SLACK
from drugsig.comparison.kernels.within_source import Whitening, WithinLimits, cholesky

__all__ = [
    "AITCHISON",
    "BRAY_CURTIS",
    "CANBERRA_DROPPING",
    "CANBERRA_ZERO",
    "CONSTANT_TOLERANCE",
    "COSINE",
    "EUCLIDEAN",
    "MANHATTAN",
    "PEAKS_IN_COMMON",
    "PEARSON",
    "QUOTIENT",
    "SLACK",
    "SPEARMAN",
    "SQUARED_COSINE",
    "BlockPart",
    "Blocks",
    "Kernel",
    "NotFitted",
    "Whitening",
    "WithinLimits",
    "cholesky",
]

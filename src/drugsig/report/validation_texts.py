"""What every validation report says: the limits of what it shows, and what its words mean."""

from __future__ import annotations

__all__ = ["LIMITS", "WORDS"]

LIMITS = (
    (
        "A likelihood ratio is not the probability that two specimens share a source. It says how "
        "many times more probable the findings are under the one proposition than under the other."
    ),
    (
        "The figures hold for profiles of the kind that was validated: these targets and this "
        "pretreatment, this replicate level, laboratory and epoch, and a population like this one."
        " The model refuses profiles of another kind."
    ),
    (
        "Intervals tell how a figure would vary with other sources of the same kind, and nothing "
        "of other kinds."
    ),
    (
        "If the method or the criteria were chosen by looking at a report like this, the figures "
        "are too good. Only new sources can tell by how much."
    ),
    (
        "Each model behind these figures was fitted to the sources of all folds but one; the model"
        " that is used is fitted to all of them, and is somewhat better."
    ),
    "A wrong label of a source in the data is not found here.",
)

# What a reader must know to read the page by itself; the long form is in the documentation.
WORDS = (
    ("linked, unlinked", "known to share, or not to share, the source, by the population rule"),
    ("item", "one side of a comparison: a profile, or the profiles of one specimen"),
    (
        "likelihood ratio (LR)",
        (
            "how many times more probable the findings are if H1 is true than if H2 is true; 1 "
            "says nothing, 10 supports H1, and 1/10 supports H2 just as much"
        ),
    ),
    ("log10 LR", "its power of ten: 1 for an LR of 10, 0 for 1, -1 for 1/10"),
    ("misleading", "an LR above 1 for an unlinked pair, or below 1 for a linked one"),
    (
        "Cllr",
        (
            "what the LRs cost on average, counted in bits: 0 if all are right and certain, 1 if "
            "all say nothing, more if they do harm"
        ),
    ),
    (
        "Cllr_min, Cllr_cal",
        (
            "the two parts of Cllr: pairs that cannot be told apart, and LRs that are too large or"
            " too small"
        ),
    ),
    (
        "PAV",
        (
            "pool adjacent violators: the LRs that the pairs themselves show, as steps that only "
            "rise; the best that a correction could do that keeps the order"
        ),
    ),
    (
        "calibration",
        (
            "making LRs mean what they say, learned from pairs of known source; not the "
            "calibration of an instrument"
        ),
    ),
    (
        "bounds, ELUB",
        (
            "the LRs beyond which these pairs support nothing; ELUB (empirical lower and upper "
            "bound) asks how far the LRs would still be worth having with one misleading pair more"
        ),
    ),
    (
        "background",
        "the profiles of known sources that say how sources differ and how one source varies",
    ),
    ("fold, fold seed", "see How it was measured"),
)

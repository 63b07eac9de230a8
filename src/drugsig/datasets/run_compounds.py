"""Compounds that simulated runs are made of: when they elute, and the ions they give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from drugsig._check import choose, listed, number, one_line_text, whole_number
from drugsig.errors import InputError
from drugsig.protocols.target import ROLES

__all__ = ["BLEED_IONS", "COCAINE_COMPOUNDS", "COELUTING_COMPOUNDS", "Compound", "nominal_ions"]

# Siloxanes of the column and the septum, relative to m/z 207 (hexamethylcyclotrisiloxane).
BLEED_IONS = ((73, 60.0), (147, 15.0), (207, 100.0), (281, 35.0))

LARGEST_MZ = 2000
DEFAULT_RESPONSE = 10.0
DEFAULT_TAILING = 0.5


@dataclass(frozen=True)
class Compound:
    """One compound as the instrument meets it.

    Parameters
    ----------
    name : str
        As the target of a profile is called.
    retention_time_s : float
        When its peak is highest, without drift.
    ions : sequence of (int, float)
        Nominal m/z and relative intensity, of which only ratios matter.
    quantifier : sequence of int
        The m/z whose trace, or sum of traces, its area is told of.
    qualifiers : sequence of int
        Further ions of it that a protocol may look at.
    role : str
        As of a target.
    tailing : float
        The time constant of the exponential tail, in standard deviations of the peak; 0 is a
        symmetrical peak.
    response : float
        The area of the quantifier a unit of the profile's value gives.
    made_up : bool
        Whether the ions are invented: no spectrum of the compound was at hand.

    Raises
    ------
    InputError
        If one of them cannot be so, or an ion that is named is not among the ions.

    Examples
    --------
    >>> one = Compound("tropacocaine", 170.0, [(124, 100), (82, 55)], quantifier=[124])
    >>> one.shares
    ((124, 1.0), (82, 0.55))
    """

    name: str
    retention_time_s: float
    ions: Sequence[tuple[int, float]]
    quantifier: Sequence[int]
    qualifiers: Sequence[int] = ()
    role: str = "impurity"
    tailing: float = DEFAULT_TAILING
    response: float = DEFAULT_RESPONSE
    made_up: bool = False

    def __post_init__(self) -> None:
        one_line_text(self.name, what="the name of a compound")
        what = f"of compound '{self.name}'"
        choose(self.role, ROLES, what=f"role {what}")
        number(self.retention_time_s, what=f"retention_time_s {what}", open_low=True)
        number(self.tailing, what=f"tailing {what}", high=20.0)
        number(self.response, what=f"response {what}", open_low=True)
        assign = object.__setattr__
        ions = tuple(
            (
                whole_number(mz, what=f"an m/z {what}", least=1, most=LARGEST_MZ),
                number(height, what=f"the intensity of an ion {what}", open_low=True),
            )
            for mz, height in self.ions
        )
        known = [mz for mz, _ in ions]
        if len(set(known)) != len(known):
            raise InputError(f"an ion {what} comes twice: {listed(known)}")
        for role in ("quantifier", "qualifiers"):
            named = tuple(getattr(self, role))
            absent = [mz for mz in named if mz not in known]
            if absent:
                raise InputError(f"{role} {what}: {listed(absent)} is not among its ions")
            assign(self, role, named)
        if not self.quantifier:
            raise InputError(f"compound '{self.name}' needs a quantifier, one of its ions")
        assign(self, "ions", ions)

    @property
    def shares(self) -> tuple[tuple[int, float], ...]:
        """Each m/z with its area as a share of the quantifier's."""
        whole_quantifier = math.fsum(height for mz, height in self.ions if mz in self.quantifier)
        return tuple((mz, height / whole_quantifier) for mz, height in self.ions)

    def ratio(self, mz: int, /) -> float:
        """Return the area of an ion divided by that of the quantifier.

        Raises
        ------
        InputError
            If the compound does not give this ion.
        """
        for ion, share in self.shares:
            if ion == mz:
                return share
        raise InputError(f"compound '{self.name}' gives no ion of m/z {mz}")


def nominal_ions(compounds: Sequence[Compound], /, *, every: bool) -> tuple[int, ...]:
    """Return the m/z of compounds and column bleed, rising.

    Parameters
    ----------
    compounds : sequence of Compound
        Whose ions.
    every : bool
        All of them; otherwise quantifiers and qualifiers only, as an instrument records that
        monitors selected ions.
    """
    found = {mz for mz, _ in BLEED_IONS}
    for one in compounds:
        chosen = [mz for mz, _ in one.ions] if every else (*one.quantifier, *one.qualifiers)
        found.update(chosen)
    return tuple(sorted(found))


# What electron ionisation gives of these compounds, underivatised: characteristic m/z with
# intensities as published libraries have them, to the nearest 5 %. Retention times, tailing and
# responses are invented, in a plausible order of elution. Traces shared with column bleed
# (m/z 147 of cinnamic acid) are no quantifiers.
COCAINE_COMPOUNDS = (
    Compound("benzoic acid", 46.0, [(105, 100), (122, 85), (77, 70)], [122], [105], tailing=1.2),
    Compound("anhydroecgonine methyl ester", 66.0, [(152, 100), (181, 35), (82, 15)], [152], [181]),
    Compound(
        "ecgonine methyl ester",
        *(86.0, [(82, 100), (96, 75), (83, 50), (97, 35), (199, 10)], [96], [82, 199]),
        tailing=0.9,
    ),
    Compound("trans-cinnamic acid", 106.0, [(147, 100), (148, 75), (103, 60)], [148], [103]),
    Compound(
        "caffeine",
        *(126.0, [(194, 100), (109, 70), (55, 50), (67, 45)], [194], [109]),
        role="cutting_agent",
        response=0.05,
    ),
    Compound("nortropacocaine", 144.0, [(110, 100), (80, 25), (68, 20), (231, 5)], [110], [80]),
    Compound(
        "tropacocaine", 161.0, [(124, 100), (82, 55), (94, 35), (83, 30), (245, 10)], [124], [245]
    ),
    Compound(
        "levamisole",
        *(177.0, [(148, 100), (204, 65), (73, 50), (101, 45)], [204], [148]),
        role="cutting_agent",
        response=0.05,
    ),
    Compound(
        "tetracosane",
        *(192.0, [(57, 100), (71, 70), (85, 55), (99, 15), (338, 5)], [85], [71]),
        role="internal_standard",
        tailing=0.2,
        response=1.0,
    ),
    Compound("norcocaine", 208.0, [(168, 100), (68, 45), (136, 40), (108, 30)], [168], [136]),
    Compound(
        "cocaine",
        *(221.0, [(82, 100), (182, 75), (94, 40), (83, 40), (105, 30), (303, 10), (198, 10)]),
        # The strong ions of the main compound are out of range in most runs.
        *([303], [198]),
        role="main",
        tailing=0.8,
        response=0.2,
    ),
    Compound(
        "benzoylecgonine",
        *(239.0, [(124, 100), (82, 35), (168, 30), (77, 30), (105, 25), (289, 5)], [124], [168]),
        role="degradation_product",
        tailing=1.0,
    ),
    Compound(
        "cis-cinnamoylcocaine",
        *(256.0, [(82, 100), (96, 55), (182, 50), (83, 45), (94, 40), (103, 30), (131, 20)]),
        *([96], [182]),
    ),
    Compound(
        "N-formylcocaine",
        *(271.0, [(196, 100), (105, 60), (77, 35), (317, 10)], [196], [105]),
        made_up=True,
    ),
    Compound(
        "trans-cinnamoylcocaine",
        *(286.0, [(82, 100), (96, 55), (182, 50), (83, 45), (94, 40), (103, 25), (131, 25)]),
        *([96], [182]),
    ),
    Compound(
        "trimethoxytropacocaine", 304.0, [(124, 100), (82, 45), (94, 30), (335, 10)], [124], [82]
    ),
    Compound(
        "trimethoxycocaine",
        *(324.0, [(182, 100), (82, 85), (83, 35), (94, 30), (195, 20), (393, 15)]),
        *([182], [393]),
        tailing=0.7,
    ),
)

# Compounds of no interest that elute beside targets: the first shares no quantifier and disturbs
# a total ion current only, the second lies on the trace of m/z 96.
COELUTING_COMPOUNDS = (
    Compound(
        "co-eluting ester",
        164.5,
        [(74, 100), (87, 65), (143, 20)],
        [74],
        response=1.0,
        made_up=True,
    ),
    Compound(
        "co-eluting alkene",
        *(293.0, [(69, 100), (83, 80), (96, 40), (97, 60)], [69]),
        response=1.0,
        made_up=True,
    ),
)

"""Data to work with: profiles with known truth, drawn at random, and ready-made examples.

`simulate_profiles` draws profiles as a laboratory would have them, with their truth beside;
`simulate_values` draws bare arrays of any size, for measuring speed. `simulate_runs` draws the
GC-MS runs that such profiles come from, and `write_runs` writes them as files; `protocol_of` is
the protocol that goes with them. `write_example` writes a folder that an analysis can be run on.
The functions `fetch_...` get published data sets from their public address, or from a folder.
"""

from drugsig.datasets.examples import EXAMPLES, Example, write_example
from drugsig.datasets.fetch import (
    Glass,
    GlassTwoLevel,
    fetch_glass,
    fetch_glass_two_level,
    fetch_mdma_tablets,
    fetch_methamphetamine,
    fetch_propellant,
)
from drugsig.datasets.material import SeizurePlan
from drugsig.datasets.run_compounds import COCAINE_COMPOUNDS, COELUTING_COMPOUNDS, Compound
from drugsig.datasets.run_files import write_runs
from drugsig.datasets.run_instrument import Instrument
from drugsig.datasets.run_protocol import protocol_of
from drugsig.datasets.runs import simulate_runs
from drugsig.datasets.simulated import SimulatedProfiles
from drugsig.datasets.simulated_runs import SimulatedRuns
from drugsig.datasets.simulation import simulate_profiles
from drugsig.datasets.values import BETWEEN, SimulatedValues, Spread, simulate_values

__all__ = [
    "BETWEEN",
    "COCAINE_COMPOUNDS",
    "COELUTING_COMPOUNDS",
    "EXAMPLES",
    "Compound",
    "Example",
    "Glass",
    "GlassTwoLevel",
    "Instrument",
    "SeizurePlan",
    "SimulatedProfiles",
    "SimulatedRuns",
    "SimulatedValues",
    "Spread",
    "fetch_glass",
    "fetch_glass_two_level",
    "fetch_mdma_tablets",
    "fetch_methamphetamine",
    "fetch_propellant",
    "protocol_of",
    "simulate_profiles",
    "simulate_runs",
    "simulate_values",
    "write_example",
    "write_runs",
]

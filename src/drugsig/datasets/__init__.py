"""Data to work with: profiles with known truth, drawn at random, and ready-made examples.

`simulate_profiles` draws profiles as a laboratory would have them, with their truth beside;
`simulate_values` draws bare arrays of any size, for measuring speed. `write_example` writes a
folder that an analysis can be run on.
"""

from drugsig.datasets.examples import EXAMPLES, Example, write_example
from drugsig.datasets.material import SeizurePlan
from drugsig.datasets.simulated import SimulatedProfiles
from drugsig.datasets.simulation import simulate_profiles
from drugsig.datasets.values import BETWEEN, SimulatedValues, Spread, simulate_values

__all__ = [
    "BETWEEN",
    "EXAMPLES",
    "Example",
    "SeizurePlan",
    "SimulatedProfiles",
    "SimulatedValues",
    "Spread",
    "simulate_profiles",
    "simulate_values",
    "write_example",
]

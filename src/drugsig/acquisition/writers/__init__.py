"""Writing runs: ANDI/AIA netCDF and mzML, the same bytes on every system."""

from drugsig.acquisition.writers.andi import write_andi
from drugsig.acquisition.writers.mzml import write_mzml

__all__ = ["write_andi", "write_mzml"]

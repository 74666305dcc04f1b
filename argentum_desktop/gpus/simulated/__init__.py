"""Cards that are not there, moving as real ones do: for demonstration, screenshots and tests. Always labelled."""

from argentum_desktop.gpus.simulated.builds import SLOWDOWN_C as SLOWDOWN_C
from argentum_desktop.gpus.simulated.source import SimulatedSource as SimulatedSource

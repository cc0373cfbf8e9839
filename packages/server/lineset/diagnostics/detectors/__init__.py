"""All detectors. A new one is a file here with a `Detector` and a line in `DETECTORS`; no other file changes."""

from lineset.diagnostics.cases import Detector
from lineset.diagnostics.detectors import circuit, sensors

DETECTORS: tuple[Detector, ...] = (
    circuit.DETECTOR,
    sensors.DETECTOR,
)

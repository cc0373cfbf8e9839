"""All detectors. A new one is a file here with a `Detector` and a line in `DETECTORS`; no other file changes."""

from lineset.diagnostics.cases import Detector

DETECTORS: tuple[Detector, ...] = ()

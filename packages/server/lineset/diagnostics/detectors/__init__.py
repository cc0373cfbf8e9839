"""All detectors. A new one is a file here with a `Detector` and a line in `DETECTORS`; no other file changes."""

from lineset.diagnostics.cases import Detector
from lineset.diagnostics.detectors import (
    backup,
    circuit,
    combustion,
    contact,
    cycling,
    defrost,
    demands,
    flows,
    hunting,
    sensors,
    standby,
    tanks,
)

DETECTORS: tuple[Detector, ...] = (
    sensors.DETECTOR,
    circuit.DETECTOR,
    defrost.STUCK,
    defrost.MISSED,
    hunting.HUNTING,
    hunting.AIR,
    cycling.SHORT,
    cycling.OVERSIZING,
    backup.BACKUP,
    standby.STANDBY,
    combustion.IGNITION,
    combustion.CONDENSING,
    tanks.SCALE,
    tanks.ELEMENT,
    tanks.ANODE,
    tanks.HYGIENE,
    demands.UNMET,
    demands.OPPOSED,
    flows.WATER,
    flows.AIR,
    contact.CONTACT,
)

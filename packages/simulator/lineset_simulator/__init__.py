"""Homes and machines with physics, driven through the real agent and the real wire.

`demo_fleet` lists the demo's homes, `history` makes their recorded past, `Home` lives on from it, `SimDriver` joins it to
the agent.
"""

from .driver import SimDriver
from .fleet import demo_contractors, demo_fleet
from .history import History, history
from .home import Block, Home, HomeState
from .spec import Address, Contractor, EquipmentSpec, Fault, HomeSpec, Person, Silence, ZoneSpec

__all__ = [
    "Address",
    "Block",
    "Contractor",
    "EquipmentSpec",
    "Fault",
    "History",
    "Home",
    "HomeSpec",
    "HomeState",
    "Person",
    "Silence",
    "SimDriver",
    "ZoneSpec",
    "demo_contractors",
    "demo_fleet",
    "history",
]

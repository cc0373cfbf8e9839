"""The demo's fleet: 25 invented homes and small commercial sites of two invented contractors.

Towns are real, so that sun and time zones are; everything else is made up: people, streets, companies, makes, phone
numbers (555-01xx) and mail addresses (example.com).
"""

import msgspec

from .chance import key
from .demo_homes import Draft, Town
from .demo_north import NORTH
from .demo_south import SOUTH
from .kits import serial
from .spec import Address, Contractor, HomeSpec, Person


def _person(name: str, role: str, area: str, number: int) -> Person:
    mail = name.lower().replace(" ", ".").replace("'", "")
    return Person(name, f"{mail}@example.com", f"{area}-555-01{number % 100:02d}", role)


def demo_contractors() -> list[Contractor]:
    """The two service companies, by the index that HomeSpec.contractor holds; the first person is the manager."""
    return [
        Contractor(
            "Alder Mechanical",
            (
                _person("Priya Shah", "manager", "541", 10),
                _person("Dana Wexler", "technician", "541", 11),
                _person("Luis Ocampo", "technician", "541", 12),
            ),
            Address("1187 Millrace Ct", "Bend", "OR", "97702"),
            "America/Los_Angeles",
        ),
        Contractor(
            "Saguaro Comfort and Water",
            (
                _person("Teresa Montano", "manager", "520", 20),
                _person("Owen Begay", "technician", "505", 21),
            ),
            Address("402 Ocotillo Works Way", "Tucson", "AZ", "85745"),
            "America/Phoenix",
        ),
    ]


def _home(draft: Draft, town: Town, contractor: int, number: int, seed: int) -> HomeSpec:
    own = key(seed, "home", number) % 2**31
    equipment = tuple(
        msgspec.structs.replace(e, serial=serial(own, e.local), sensors=draft.sensors if e.sensors == "standard" else e.sensors)
        for e in draft.equipment
    )
    people = tuple(_person(name, "owner" if i == 0 else "member", town.area, 30 + 2 * number + i) for i, name in enumerate(draft.people))
    return HomeSpec(
        key=f"h{number:02d}",
        name=draft.name,
        site_name=draft.site or draft.street,
        kind="commercial" if draft.site else "residential",
        contractor=contractor,
        people=people,
        address=Address(draft.street, town.name, town.state, draft.postcode),
        tz=town.tz,
        latitude=town.latitude,
        longitude=town.longitude,
        altitude=town.altitude,
        climate=town.climate,
        weather_seed=key(seed, "town", town.name) % 2**31,
        seed=own,
        occupancy=draft.occupancy,
        residents=draft.residents or len(people),
        zones=draft.zones,
        equipment=equipment,
        faults=draft.faults,
        silence=draft.silence,
    )


def demo_fleet(seed: int = 7) -> list[HomeSpec]:
    """The 25 homes, those of the first contractor first. The seed changes weather, days, noise and serial numbers."""
    homes: list[HomeSpec] = []
    for contractor, drafts in enumerate((NORTH, SOUTH)):
        for draft, town in drafts:
            homes.append(_home(draft, town, contractor, len(homes) + 1, seed))
    return homes

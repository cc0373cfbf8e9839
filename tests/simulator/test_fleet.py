"""The demo's fleet: complete, varied, invented."""

import datetime
import re
from zoneinfo import ZoneInfo

from lineset_contract.faults import FAULTS
from lineset_contract.profiles import PROFILES, profile
from lineset_simulator import demo_contractors, demo_fleet


def test_twenty_five_homes_of_two_contractors() -> None:
    fleet, contractors = demo_fleet(7), demo_contractors()
    assert [h.contractor for h in fleet] == [0] * 15 + [1] * 10
    assert len(contractors) == 2
    assert len({h.key for h in fleet}) == len({h.site_name for h in fleet}) == len({h.address.street for h in fleet}) == 25
    assert {e.type for h in fleet for e in h.equipment} == set(PROFILES)
    assert {h.kind for h in fleet} == {"residential", "commercial"}
    assert len({h.climate for h in fleet}) == 4
    assert 6 <= sum(bool(h.faults) for h in fleet) <= 8
    assert any(h.silence for h in fleet)
    assert demo_fleet(7) == fleet
    assert demo_fleet(8) != fleet


def test_every_record_is_whole() -> None:
    for home in demo_fleet(7):
        assert ZoneInfo(home.tz).key == home.tz
        names = {e.local for e in home.equipment}
        assert len(names) == len(home.equipment)
        for e in home.equipment:
            found = profile(e.type)
            assert e.fuel in found.fuels, (home.key, e.local)
            assert re.fullmatch(r"\d\d[A-Z]\d{5}", e.serial)
            assert e.make
            assert e.model
            assert e.location
            assert e.zone < len(home.zones)
            assert not e.serves or e.serves in names
            assert datetime.date(2000, 1, 1) < datetime.date.fromisoformat(e.installed) < datetime.date(2025, 1, 1)
        for fault in home.faults:
            assert fault.kind in FAULTS
            assert fault.equipment in names
            assert fault.point in {"", *(p for e in home.equipment if e.local == fault.equipment for p in profile(e.type).points)}


def test_people_can_be_reached_nowhere() -> None:
    people = [p for h in demo_fleet(7) for p in h.people] + [p for c in demo_contractors() for p in c.people]
    assert len({p.email for p in people}) == len(people)
    for person in people:
        assert person.email.endswith("@example.com")
        assert re.fullmatch(r"\d{3}-555-01\d\d", person.phone)
    assert all(h.people[0].role == "owner" for h in demo_fleet(7))

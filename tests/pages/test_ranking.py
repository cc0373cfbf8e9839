"""Which site a contractor sees first."""

from datetime import UTC, datetime

from lineset.pages.common.facts import Site
from lineset.pages.common.reader import Reader
from lineset.pages.portal.fleet import FIRST, MORE, TOP, Query, fleet_view
from lineset.pages.portal.ranking import Home, rank

NOW = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)
READER = Reader("en", "us", "America/Denver")


def home(name: str, room: float | None = 20.0, **changed: object) -> Home:
    values: dict[str, object] = {
        "site": Site(name, name), "household": "Lund", "machine": name, "machine_name": "HP-1", "machine_type": "heat_pump_air_air",
        "machines": 1, "mode": "heating", "room": room, "target": 20.0, "tank": None, "tank_target": None, "alarm": "none",
        "fault_code": None, "online": True, "seen": NOW.timestamp() - 5,
    }  # fmt: skip
    return Home(**(values | changed))  # type: ignore[arg-type]


def test_furthest_from_its_set_point_comes_first_and_the_locked_out_before_all() -> None:
    homes = [home("calm"), home("cool", 17.0), home("cold", 14.0), home("locked", 13.5, alarm="lockout", mode="lockout")]
    ranked = rank(homes, NOW)
    assert [r.home.site.name for r in ranked] == ["locked", "cold", "cool", "calm"]
    assert [r.urgent for r in ranked] == [True, True, True, False]
    assert ranked[0].why == "lockout"


def test_a_heated_room_above_its_set_point_is_no_news_while_nothing_heats_it() -> None:
    resting, heating = rank([home("sun", 24.0, mode="idle"), home("stuck", 24.0)], NOW)[::-1]
    assert (resting.why, heating.why) == ("", "hot")


def test_silence_and_cold_tanks_need_somebody() -> None:
    silent = rank([home("silent", seen=NOW.timestamp() - 7200)], NOW)[0]
    tank = rank([home("tank", tank=31.0, tank_target=55.0)], NOW)[0]
    fresh = rank([home("new", None, seen=None)], NOW)[0]
    assert (silent.why, silent.urgent) == ("silent", True)
    assert (tank.why, tank.urgent) == ("tank", True)
    assert (fresh.why, fresh.urgent) == ("never", False)


def test_list_goes_on_where_it_stopped_and_every_site_comes_once() -> None:
    ranked = rank([home(f"h{n:04}", 20.0 - (n % 40) / 10) for n in range(700)], NOW)
    query, seen = Query(), []
    while True:
        view = fleet_view(READER, ranked, query, NOW)
        assert len(view.top) <= TOP
        assert len(view.rest) <= (MORE if query.after else FIRST)
        seen += [row.site for row in (*view.top, *view.rest)]
        if not view.next:
            break
        query = Query(after=int(view.next.rpartition("=")[2]))
    assert len(seen) == len(set(seen)) == 700


def test_search_finds_by_every_word() -> None:
    ranked = rank([home("14 Sugar Pine Rd"), home("8 Donner Pass Rd")], NOW)
    found = fleet_view(READER, ranked, Query(q="pine lund"), NOW)
    assert [row.name for row in found.rest] == ["14 Sugar Pine Rd"]
    assert fleet_view(READER, ranked, Query(q="nowhere"), NOW).found == 0

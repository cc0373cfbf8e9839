"""View models of the flows that home app and portal share: gateways, machine and site forms."""

from datetime import timedelta
from typing import Any

from lineset.gateways import ClaimCode, ConnectionView, EventView, Found, GatewayView, NewToken, TokenView, Trouble
from lineset.kit.ids import new_id
from lineset.pages.common.flows.gateways import qr_code
from lineset.pages.common.flows.sites import ZONES, limit_rows, site_kinds
from lineset.pages.common.forms import Form
from lineset.pages.common.gateway_view import GatewayLine, RefusedLine, gateway_lines, gateway_page
from lineset.pages.common.performed import performed
from lineset.pages.common.reader import Reader
from lineset.pages.common.trouble_view import TroubleLine, trouble_lines
from lineset.sites import Equipment, Zone
from lineset.telemetry import RefusalView

from tests.browser.samples.data import CABIN, NOW, SITE, Sample
from tests.browser.samples.diagnosed import months_of_running

GATEWAY, OTHER = new_id(), new_id()
LAYOUT: dict[str, Any] = {"layout": "home/frame.html", "site": SITE, "sites": [SITE, CABIN], "tab": "link", "base": f"/home/{SITE.id}"}
CODE = "7K2M-9QXC-4TVB-1HND"


def machine(name: str, *, fed: bool = True) -> Equipment:
    """A machine as its site knows it."""
    return Equipment(
        id=new_id(),
        site_id=new_id(),
        household_id=new_id(),
        zone_id=None,
        gateway_id=GATEWAY if fed else None,
        local_name="hp1",
        name=name,
        type="heat_pump_air_air",
        make="Norrland",
        model="NX-36",
        serial_number="19K40277",
        capacity_w=10550.0,
        fuel="electricity",
        refrigerant="R-410A",
        place="Basement",
        installed_on=None,
        installer="",
        limits={},
        series_id=1,
        owned_since=NOW,
        retired_at=None,
    )


def gateway(state: Any = "online") -> GatewayView:
    """A gateway with two tokens."""
    return GatewayView(
        id=GATEWAY,
        household=new_id(),
        site=new_id(),
        kind="agent",
        name="Basement",
        state=state,
        last_seen_at=NOW - timedelta(seconds=5),
        version="0.1.0",
        created_at=NOW,
        claimed_at=NOW,
        enrolled_at=NOW,
        revoked_at=None,
        code_open=True,
        code_expires_at=NOW + timedelta(hours=3),
        certificate_ends_at=NOW + timedelta(days=60),
        tokens=(TokenView(new_id(), NOW), TokenView(new_id(), NOW)),
    )


MACHINES = (machine("Heat pump HP-1"), machine("Water heater", fed=False))


def gateway_samples(reader: Reader) -> tuple[GatewayLine, ...]:
    """Two gateways, one without a link."""
    return gateway_lines(reader, (gateway(), gateway("offline")), MACHINES, {GATEWAY: 3}, NOW)


def refused_samples() -> tuple[RefusedLine, ...]:
    """Two refusals."""
    return (
        RefusedLine("06:02", "A reading of hp1", "room_temperature is 212 degC; from -40 to 60 degC is plausible."),
        RefusedLine("05:58", "A message", "The message is not JSON (unexpected end). Send UTF-8 JSON."),
    )


def troubles() -> list[Trouble]:
    """A crash with its report, an error that comes again and again, a flood."""
    frames = ["lineset_agent/cli.py:120 run", "lineset_agent/runtime.py:101 _run", "asyncio/tasks.py:267 __step"]
    crash: dict[str, object] = {
        "type": "TimeoutError",
        "say": "no answer from pump 3",
        "frames": frames,
        "log": ["INFO buffer opened", "WARNING no link"],
    }
    again: dict[str, object] = {"code": "read_failed", "say": "the driver did not answer within 30 s"}
    return [
        Trouble("a", "crash", "TimeoutError in _run", crash, 1, NOW, NOW, ("0.1.0",), (GATEWAY,), ()),
        Trouble("b", "error", "read_failed", again, 1284, NOW - timedelta(days=9), NOW, ("0.1.0", "0.2.0"), (GATEWAY,), (MACHINES[0].id,)),
        Trouble("c", "error", "too_many_events", {}, 90_210, NOW - timedelta(hours=2), NOW, (), (GATEWAY,), ()),
    ]


def trouble_samples(reader: Reader) -> tuple[TroubleLine, ...]:
    """These as a site's page shows them."""
    return trouble_lines(reader, troubles(), {m.id: m.name for m in MACHINES}, NOW)


def connections() -> list[ConnectionView]:
    """A whole address, and the network of an older one."""
    return [
        ConnectionView("certificate", "203.0.113.77", NOW, NOW, 3),
        ConnectionView("http", "2001:db8:17::/48", NOW - timedelta(days=40), NOW - timedelta(days=40), 288),
    ]


def _gateways(reader: Reader, *, empty: bool = False, may: bool = True) -> dict[str, Any]:
    form = Form() if empty else Form(values={"code": "7K2M"}, errors={"code": "That is not a claim code."})
    return LAYOUT | {
        "gateways": () if empty else gateway_samples(reader),
        "form": form,
        "may_change": may,
        "troubles": () if empty else trouble_samples(reader),
    }


def _gateway(reader: Reader) -> dict[str, Any]:
    found = [Found(GATEWAY, "wh1", "water_heater_electric", "Tank & Co", "T-80", "1", NOW, None)]
    refusals = [RefusalView(NOW, GATEWAY, "hp1", "out_of_range", "room_temperature is 212 degC; from -40 to 60 degC is plausible.")]
    events = [
        EventView(new_id(), GATEWAY, None, NOW, "boot", {"version": "0.1.0"}),
        EventView(new_id(), GATEWAY, MACHINES[0].id, NOW, "hand_operation", {"setting": "heating_setpoint", "value": 21.5}),
        EventView(new_id(), GATEWAY, None, NOW, "violation", {"topic": "lineset/v1/other/frames"}),
    ]
    page = gateway_page(reader, gateway(), MACHINES, found, refusals, events, NOW, troubles(), connections())
    return LAYOUT | {"gateway": page, "form": Form(), "may_change": True, "may_release": True}


def _code(reader: Reader) -> dict[str, Any]:
    url = "http://localhost:8000"
    return LAYOUT | {
        "code": ClaimCode(GATEWAY, CODE, None),
        "name": "Basement",
        "link": f"{url}/enrol#{CODE}",
        "qr": qr_code(f"{url}/enrol#{CODE}"),
        "until": reader.when(NOW + timedelta(hours=24), NOW),
        "url": url,
        "released": False,
    }


def _token(reader: Reader) -> dict[str, Any]:
    return LAYOUT | {
        "token": NewToken(new_id(), GATEWAY, "lsd_" + "x" * 43),
        "name": reader.gettext("Gateway"),
        "port": 8884,
        "host": "localhost",
    }


def _machine_form(reader: Reader, *, change: bool = False) -> dict[str, Any]:
    values = {"type": "heat_pump_air_air", "name": "Heat pump HP-1" if change else ""}
    return LAYOUT | {
        "form": Form(values=values, errors={} if change else {"name": reader.gettext("Fill this in.")}),
        "action": "/x",
        "machine": MACHINES[0] if change else None,
        "types": [("heat_pump_air_air", "Air-to-air heat pump")],
        "fuels": [("", "As usual")],
        "capacity_unit": "Btu/h",
        "may_erase": change,
        "zones": [("", "The whole site"), ("z", "Upstairs")],
        "gateways": [("", "None yet")],
    }


def _site_form(reader: Reader) -> dict[str, Any]:
    return LAYOUT | {
        "form": Form(values={"name": SITE.name, "time_zone": SITE.zone, "heating_setpoint_low": "55", "heating_setpoint_high": "72"}),
        "kinds": site_kinds(reader),
        "time_zones": ZONES[:40],
        "limits": limit_rows(reader, ["heat_pump_air_air", "water_heater_heat_pump"]),
        "rooms": (Zone(new_id(), "Upstairs"),),
        "may_change": True,
        "may_hand_over": True,
    }


def _performance(reader: Reader, *, empty: bool = False) -> dict[str, Any]:
    ran = [] if empty else months_of_running()
    return LAYOUT | {"v": performed(reader, "month", ran, NOW.date()), "machine": MACHINES[0], "back": "/x"}


SAMPLES: dict[str, Sample] = {
    "gateways": ("common/gateways.html", _gateways),
    "gateways-empty": ("common/gateways.html", lambda r: _gateways(r, empty=True)),
    "gateways-guest": ("common/gateways.html", lambda r: _gateways(r, may=False)),
    "gateway": ("common/gateway.html", _gateway),
    "gateway-code": ("common/gateway_code.html", _code),
    "gateway-token": ("common/gateway_token.html", _token),
    "machine-form": ("common/machine_form.html", _machine_form),
    "machine-change": ("common/machine_form.html", lambda r: _machine_form(r, change=True)),
    "performance": ("common/performance.html", _performance),
    "performance-empty": ("common/performance.html", lambda r: _performance(r, empty=True)),
    "site-form": ("common/site_form.html", _site_form),
}

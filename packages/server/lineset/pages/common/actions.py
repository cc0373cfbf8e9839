"""What each page and address of the API does, as the access log names it, and in words for the people whose home it is."""

from collections.abc import Mapping
from uuid import UUID

from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from lineset.privacy import Seen, note_action

from .reader import Reader
from .refusals import marked

ACTIONS = {
    "pages.portal.routes_fleet.fleet": "look_list",
    "pages.portal.routes_fleet.trends": "look_list",
    "pages.common.data.live_stream": "look_list",
    "pages.common.data.chart": "look_machine",
    "pages.common.data.chart_table": "look_machine",
    "pages.common.data.chart_csv": "download",
    "pages.portal.routes_sites.site_": "look_site",
    "pages.portal.routes_sites.machine_": "look_machine",
    "pages.portal.routes_sites.orders_": "look_machine",
    "pages.portal.routes_sites.chart": "look_machine",
    "pages.portal.routes_sites.send": "command",
    "pages.portal.routes_sites.new": "add_site",
    "pages.portal.routes_sites.add": "add_site",
    "pages.portal.routes_reports.serviced": "report",
    "pages.portal.routes_reports.fleet": "look_list",
    "pages.portal.routes_data.data": "download",
    "pages.portal.routes_data.make": "download",
    "pages.portal.routes_data.listed": "download",
    "pages.portal.routes_data.now_": "download",
    "pages.portal.routes_data.file_": "download",
    "pages.portal.routes_data.cancel": "download",
    "pages.portal.routes_data.remove": "download",
    "pages.common.flows.machines.new": "add_machine",
    "pages.common.flows.machines.add": "add_machine",
    "pages.common.flows.machines.change": "change_machine",
    "pages.common.flows.machines.save": "change_machine",
    "pages.common.flows.machines.retire": "change_machine",
    "pages.common.flows.erasing.ask": "change_machine",
    "pages.common.flows.erasing.erase": "change_machine",
    "pages.common.flows.findings.step": "work_on_finding",
    "pages.portal.routes_leads.leads": "look_advice",
    "pages.common.flows.sites.look": "look_site",
    "pages.common.flows.sites.save": "change_site",
    "pages.common.flows.sites.rooms": "change_site",
    "pages.common.flows.gateways.list_": "look_gateway",
    "pages.common.flows.gateways.look": "look_gateway",
    "pages.portal.routes_people.people": "look_people",
    "pages.portal.routes_people.change": "look_people",
    "pages.console.homes.home_page": "look",
    "pages.console.homes.home_machine": "look_machine",
    "api.things.get_sites": "look_list",
    "api.things.get_site": "look_site",
    "api.things.get_equipment": "look_machine",
    "api.things.get_latest": "look_machine",
    "api.things.get_series": "look_machine",
    "api.sums.get_sums": "look_machine",
    "api.sums.get_quality": "look_machine",
    "api.orders.get_commands": "look_machine",
    "api.orders.get_command": "look_machine",
    "api.orders.post_command": "command",
    "api.orders.cancel_command": "command",
    "api.exports.get_readings": "download",
    "api.exports.post_export": "download",
    "api.happenings.get_events": "look_gateway",
    "api.happenings.get_troubles": "look_gateway",
}
"""By module and name of the handler. What is not here looks or changes, as its method says; of gateways if it is theirs."""


def action_of(handler: HTTPRouteHandler) -> str:
    """The code of what a handler does."""
    module = handler.fn.__module__.removeprefix("lineset.")
    known = ACTIONS.get(f"{module}.{handler.fn.__name__}")
    if known is not None:
        return known
    verb = "look" if "GET" in handler.http_methods else "change"
    return f"{verb}_gateway" if module.endswith("flows.gateways") else verb


def noting_actions(app: ASGIApp) -> ASGIApp:
    """Middleware: says what the request does before anything is read for it."""

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        handler = scope.get("route_handler")
        if isinstance(handler, HTTPRouteHandler):
            note_action(action_of(handler))
        await app(scope, receive, send)

    return noted


_WORDS = {
    "look": (marked("looked at your data"), ""),
    "change": (marked("changed something"), ""),
    "look_list": (marked("looked at a list of homes, yours among them"), ""),
    "look_site": (marked("looked at a site"), marked("looked at the site %(name)s")),
    "look_machine": (marked("looked at a machine"), marked("looked at %(name)s")),
    "look_gateway": (marked("looked at the gateways"), marked("looked at the gateway %(name)s")),
    "look_people": (marked("looked at who belongs to the household"), ""),
    "look_log": (marked("looked at who saw your home"), ""),
    "command": (marked("sent a command"), marked("sent a command to %(name)s")),
    "download": (marked("downloaded readings"), marked("downloaded readings of %(name)s")),
    "report": (marked("read a report of a machine"), marked("read a report of %(name)s")),
    "add_site": (marked("opened the form for a new site"), ""),
    "add_machine": (marked("added a machine"), ""),
    "change_site": (marked("changed a site"), marked("changed the site %(name)s")),
    "change_machine": (marked("changed a machine"), marked("changed %(name)s")),
    "change_gateway": (marked("changed a gateway"), marked("changed the gateway %(name)s")),
    "work_on_finding": (marked("worked on a finding"), marked("worked on a finding at %(name)s")),
    "look_advice": (marked("looked at the advice that you share"), ""),
    "open_home": (marked("opened your home to help you"), ""),
    "keep_account": (marked("changed your household's information"), ""),
    "start_reset": (marked("started a new password for a member, which only the member can choose"), ""),
    "suspend_member": (marked("paused or ended a member's access"), ""),
    "change_privacy": (marked("changed privacy settings"), ""),
    "answer_request": (marked("worked on a request about your data"), ""),
}
"""By code: in general, and where the thing's name is known."""


def action_words(reader: Reader, action: str, thing: str = "") -> str:
    """What somebody did, as the end of a sentence about them; `thing` is the name of the machine, site or gateway where it is known."""
    general, named = _WORDS.get(action, _WORDS["look"])
    return reader.gettext(named, name=thing) if thing and named else reader.gettext(general)


def seen_words(reader: Reader, seen: Seen, names: Mapping[UUID, str]) -> str:
    """What a line of "who saw it" says; `names` are those of the household's sites, machines and gateways by id."""
    return action_words(reader, seen.what, names.get(seen.thing, "") if seen.thing is not None else "")

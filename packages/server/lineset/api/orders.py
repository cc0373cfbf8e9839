"""Commands: asking something of a machine, and seeing what came of it."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from lineset import control, sites
from lineset.api import shapes
from lineset.api.edge import PATH, Caller, Desk, id_of
from lineset.api.problems import problem


@post("/equipment/{equipment_id:str}/commands", summary="Ask something of a machine", status_code=202)
async def post_command(
    caller: NamedDependency[Caller], desk: NamedDependency[Desk], equipment_id: FromPath[str], data: JSONBody[shapes.Order]
) -> Response[Any]:
    """The command on its way. It has succeeded only when its state says so, by the machine's own reading.

    What limits don't allow is refused with 422 and the reason; the refused command is kept in the machine's history under the `id` given.
    """
    async with desk.platform.door.open(caller.context) as tx:
        made = await control.request(tx, id_of(equipment_id, "machine"), data.name, data.args, data.expires_in_s)
    location = {"location": f"{PATH}/commands/{made.id}"}
    if made.refusal is not None:
        shown = msgspec.to_builtins(shapes.command(made))
        return problem(422, made.refusal.code, made.detail, location, id=str(made.id), state=made.state, command=shown)
    return Response(shapes.command(made), status_code=202, headers=location)


@get("/equipment/{equipment_id:str}/commands", summary="Last commands of a machine")
async def get_commands(
    caller: NamedDependency[Caller],
    desk: NamedDependency[Desk],
    equipment_id: FromPath[str],
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="How many at most")] = 20,
    before: Annotated[str | None, QueryParameter(description="The id of the last command of the page before")] = None,
) -> list[shapes.Command]:
    """The last commands, newest first."""
    async with desk.platform.door.open(caller.context) as tx:
        found = await sites.get_equipment(tx, id_of(equipment_id, "machine"))
        last = None if before is None else id_of(before, "command")
        return [shapes.command(c) for c in await control.history(tx, found.id, limit, last)]


@get("/commands/{command_id:str}", summary="A command")
async def get_command(caller: NamedDependency[Caller], desk: NamedDependency[Desk], command_id: FromPath[str]) -> shapes.Command:
    """One command with all its steps."""
    async with desk.platform.door.open(caller.context) as tx:
        return shapes.command(await control.get(tx, id_of(command_id, "command")))


@post("/commands/{command_id:str}/cancel", summary="Take a command back", status_code=200)
async def cancel_command(caller: NamedDependency[Caller], desk: NamedDependency[Desk], command_id: FromPath[str]) -> shapes.Command:
    """Take a command back before it was sent; 409 afterwards."""
    known = id_of(command_id, "command")
    async with desk.platform.door.open(caller.context) as tx:
        return shapes.command(await control.cancel(tx, known))

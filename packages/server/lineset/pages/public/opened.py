"""The picture in news by which a reader's mail program tells that it was opened, for those who allowed it."""

import asyncio
import base64

from litestar import Response, get

from lineset import messaging
from lineset.kit.settings import secret
from lineset.privacy import Context, Purpose, System, consented

from ..common.edge import Ask, edge

MAIL = Context(System("mail"), Purpose.COMMUNICATE)
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One clear dot."""


@get("/o/{name:str}")
async def opened(request: Ask, name: str) -> Response[bytes]:
    """The same dot for everybody; the opening is kept only while the recipient's yes stands at this moment."""
    here = edge(request)
    key = await asyncio.to_thread(secret, here.settings, messaging.PICTURE_KEY)
    mail = messaging.read_picture(key, name.removesuffix(".gif"))
    if mail is not None:
        async with here.door.open(MAIL) as tx:
            whose = await messaging.recipient_of(tx, mail)
            if whose is not None and await consented(tx, whose, *messaging.MAIL_OPENS):
                await messaging.note_opened(tx, mail)
    return Response(PICTURE, media_type="image/gif", headers={"cache-control": "no-store", "x-content-type-options": "nosniff"})


ROUTES = (opened,)

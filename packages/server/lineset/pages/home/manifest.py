"""The web app manifest: what a phone needs to put the home app on its first screen."""

import msgspec
from litestar import Response, get

from ..common.edge import Ask, principal, reader_of


@get("/manifest.webmanifest", include_in_schema=False)
async def manifest(request: Ask) -> Response[bytes]:
    """The manifest in the reader's language."""
    reader = reader_of(request, await principal(request))
    body = {
        "id": "/home",
        "name": "Lineset",
        "short_name": "Lineset",
        "description": reader.gettext("Heating, cooling and hot water at home"),
        "lang": reader.language,
        "start_url": "/home",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f1f4f2",
        "theme_color": "#f1f4f2",
        "icons": [
            {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            {"src": "/static/icon-192.png", "sizes": "192x192", "type": "image/png"},
            {"src": "/static/icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
        ],
    }
    return Response(msgspec.json.encode(body), media_type="application/manifest+json", headers={"cache-control": "private, max-age=3600"})

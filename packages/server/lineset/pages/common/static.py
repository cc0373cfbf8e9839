"""Routes of the built files. Names with a hash never change; the few without one are looked at again each hour."""

from pathlib import Path

from litestar import Router
from litestar.static_files import create_static_files_router

from .assets import STATIC
from .security import HASHED, UNHASHED


def static_routes(folder: Path = STATIC) -> list[Router]:
    """Routers for ``/static/assets`` (hashed names) and ``/static`` (icons)."""
    return [
        create_static_files_router(
            path="/static/assets", directories=[folder / "assets"], cache_control=HASHED, name="assets", include_in_schema=False
        ),
        create_static_files_router(path="/static", directories=[folder], cache_control=UNHASHED, name="static", include_in_schema=False),
    ]

"""The parent of the web processes. It holds the server and nothing of the application, which would cost its memory a second time."""

import os

from granian import Granian
from granian.constants import Interfaces

from lineset.kit.settings import Settings


def serve(settings: Settings) -> None:
    """Run the web role until told to stop: granian with worker processes of its own."""
    os.environ |= {
        "LINESET_DATA": str(settings.data),
        "LINESET_PORT": str(settings.web_port),
        "LINESET_HOST": settings.web_host,
    }
    Granian(
        "lineset.web:app",
        address=settings.web_host,
        port=settings.web_port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=settings.web_workers,
        log_access=False,
        log_dictconfig={"loggers": {"_granian": {"level": "WARNING", "handlers": [], "propagate": True}}},
        websockets=False,
        workers_kill_timeout=5,
        backpressure=512,
    ).serve()

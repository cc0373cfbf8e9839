"""One cluster for all tests of this folder, which run in one worker (`tests/support/dealing.py`)."""

from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from lineset.embedded.ports import free_port

from deploy.loopback import loopback
from tests.cluster.world import Cluster, Mailroom
from tests.support.engines import system_folder
from tests.support.fleet import Gateway, gateways

GATEWAYS = 6


@pytest.fixture(scope="package")
def mailroom() -> Iterator[Mailroom]:
    """The mail server that the cluster's workers know."""
    made = Mailroom()
    controller = Controller(made, hostname="127.0.0.1", port=free_port())
    controller.start()
    made.port = controller.port
    try:
        yield made
    finally:
        made.hold.set()
        controller.stop()


@pytest.fixture(scope="package")
def cluster(mailroom: Mailroom) -> Iterator[Cluster]:
    """Three NATS servers, two web, two ingest, two workers, PostgreSQL with TLS and an S3 server."""
    with system_folder() as system:
        folder = system / "cluster"
        folder.mkdir()
        folder.chmod(0o755)
        with loopback(folder, {"LINESET_SMTP_URL": f"smtp://127.0.0.1:{mailroom.port}"}) as made:
            yield Cluster(made)


@pytest.fixture(scope="package")
def fleet(cluster: Cluster) -> list[Gateway]:
    """Gateways that may connect, with two machines each."""
    return gateways(cluster, GATEWAYS)

"""One cluster for all tests of this folder: they are one xdist group, so one worker starts it and the others go on."""

from collections.abc import Iterator

import pytest

from deploy.loopback import loopback
from tests.cluster.world import Cluster
from tests.support.engines import system_folder
from tests.support.fleet import Gateway, gateways

GATEWAYS = 6


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three NATS servers, two web, two ingest, two workers, PostgreSQL with TLS and an S3 server."""
    with system_folder() as system:
        folder = system / "cluster"
        folder.mkdir()
        folder.chmod(0o755)
        with loopback(folder) as made:
            yield Cluster(made)


@pytest.fixture(scope="session")
def fleet(cluster: Cluster) -> list[Gateway]:
    """Gateways that may connect, with two machines each."""
    return gateways(cluster, GATEWAYS)

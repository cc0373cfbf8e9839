"""The same database, broker and doors as the tests of devices."""

from tests.functional.devices.conftest import (  # noqa: F401 - fixtures
    authority,
    authority_of_broker,
    broker,
    bus,
    cloud,
    devices_database,
    door,
    heard,
    ingest,
    keys,
)
from tests.functional.devices.test_api import http, platform  # noqa: F401 - fixtures
from tests.functional.devices.test_real_agent import admitting  # noqa: F401 - a fixture
from tests.functional.pages.conftest import ines, installation, operator, visitor  # noqa: F401 - fixtures

"""The same API and pages as the tests of devices and of pages."""

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
from tests.functional.exports.house import house  # noqa: F401 - a fixture
from tests.functional.pages.conftest import company, ines, installation, operator, visitor  # noqa: F401 - fixtures

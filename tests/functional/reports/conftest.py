"""The same installation and people as the tests of pages."""

from tests.functional.pages.conftest import company, ines, installation, operator, visitor  # noqa: F401 - fixtures

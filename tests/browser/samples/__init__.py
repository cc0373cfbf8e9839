"""Sample view models: crowded, empty, offline, late, error."""

from tests.browser.samples import home, portal, public

ALL = {"public": public.SAMPLES, "home": home.SAMPLES, "portal": portal.SAMPLES}

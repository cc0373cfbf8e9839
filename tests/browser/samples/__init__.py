"""Sample view models: crowded, empty, offline, late, error."""

from tests.browser.samples import home, portal, public, shared, yours

ALL = {"public": public.SAMPLES, "home": home.SAMPLES, "shared": shared.SAMPLES, "portal": portal.SAMPLES, "yours": yours.SAMPLES}

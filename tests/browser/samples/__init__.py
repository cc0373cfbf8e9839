"""Sample view models: crowded, empty, offline, late, error."""

from tests.browser.samples import home, public

ALL = {"public": public.SAMPLES, "home": home.SAMPLES}

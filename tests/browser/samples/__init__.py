"""Sample view models: crowded, empty, offline, late, error."""

from tests.browser.samples import public

ALL = {"public": public.SAMPLES}

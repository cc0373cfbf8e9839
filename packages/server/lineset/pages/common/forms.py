"""What a form shows again after a mistake: the person's own values, an error beside each field, one sentence on top."""

from collections.abc import Mapping

import msgspec


class Form(msgspec.Struct, frozen=True):
    """State of one form. Passwords are never put back into `values`."""

    values: Mapping[str, str] = {}
    errors: Mapping[str, str] = {}
    problem: str = ""
    advice: str = ""

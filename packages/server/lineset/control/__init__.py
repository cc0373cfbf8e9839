"""Control: commands to machines, from the wish to the machine's own confirmation.

The face of this domain; nobody imports past it.
"""

from lineset.control.delivery import Delivery
from lineset.control.inbox import CHANNELS, Inbox, notice, take
from lineset.control.results import settle, take_reported
from lineset.control.service import allowed, cancel, get, history, request
from lineset.control.views import CommandView, Step

__all__ = [
    "CHANNELS",
    "CommandView",
    "Delivery",
    "Inbox",
    "Step",
    "allowed",
    "cancel",
    "get",
    "history",
    "notice",
    "request",
    "settle",
    "take",
    "take_reported",
]

"""Control: commands to machines, from the wish to the machine's own confirmation.

The face of this domain; nobody imports past it.
"""

from lineset.control.service import allowed, cancel, get, history, request
from lineset.control.views import CommandView, Step

__all__ = ["CommandView", "Step", "allowed", "cancel", "get", "history", "request"]

"""The demo: an invented fleet with people, contractors and simulated homes, driven through the real agent over the real wire.

The only part of the server that knows the simulator and the agent.
"""

from lineset.demo.fleet import serve

__all__ = ["serve"]

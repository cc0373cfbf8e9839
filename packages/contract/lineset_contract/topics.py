"""The MQTT topics of one gateway: `lineset/v1/{gateway}/{channel}`."""

PREFIX = "lineset/v1"
UP = ("frames", "results", "reported", "events", "status")
"""Channels on which the gateway publishes."""
DOWN = ("ack", "commands", "desired")
"""Channels to which the gateway subscribes."""


def frames(gateway: str) -> str:
    """Numbered frame messages, gateway to cloud (`wire.FrameMessage`)."""
    return _topic(gateway, "frames")


def ack(gateway: str) -> str:
    """What the cloud has committed or refused (`wire.Ack`)."""
    return _topic(gateway, "ack")


def commands(gateway: str) -> str:
    """Commands, cloud to gateway (`wire.Command`)."""
    return _topic(gateway, "commands")


def results(gateway: str) -> str:
    """What became of commands (`wire.Result`)."""
    return _topic(gateway, "results")


def desired(gateway: str) -> str:
    """What the cloud wants the gateway to keep to (`wire.Desired`)."""
    return _topic(gateway, "desired")


def reported(gateway: str) -> str:
    """What the gateway keeps to (`wire.Reported`)."""
    return _topic(gateway, "reported")


def events(gateway: str) -> str:
    """Boot, error, crash, hand operation, inventory (`wire.Event`)."""
    return _topic(gateway, "events")


def status(gateway: str) -> str:
    """Online or offline, retained; the last will says offline (`wire.Status`)."""
    return _topic(gateway, "status")


def parse(topic: str) -> tuple[str, str] | None:
    """Gateway and channel of a topic, or None if it is none of ours."""
    parts = topic.split("/")
    if len(parts) != 4 or "/".join(parts[:2]) != PREFIX or parts[3] not in UP + DOWN or not parts[2]:
        return None
    return parts[2], parts[3]


def _topic(gateway: str, channel: str) -> str:
    if not gateway or any(char in gateway for char in "/+#. \x00"):
        raise ValueError(f"{gateway!r} cannot name a gateway: / + # . space and NUL have a meaning in topics")
    return f"{PREFIX}/{gateway}/{channel}"

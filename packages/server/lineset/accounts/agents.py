"""Browsers in words, from what they say of themselves."""

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a request comes from: network address as text, and the User-Agent header."""

    address: str = ""
    agent: str = ""

    @property
    def network(self) -> str:
        """What is throttled as one: the address, or the /64 of an IPv6 address, which one customer usually holds whole."""
        try:
            address = ip_address(self.address.partition("%")[0])
        except ValueError:
            return self.address[:64]
        if isinstance(address, IPv4Address):
            return str(address)
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))

    @property
    def kept_agent(self) -> str:
        """The header as it is stored: printable, at most 300 characters."""
        return "".join(c for c in self.agent if c.isprintable())[:300]


def describe_agent(agent: str) -> str:
    """Browser and system by name, without version: "Firefox, Windows"; the program's own name where it is no browser."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser or system:
        return ", ".join(part for part in (browser, system) if part)
    return agent.partition("/")[0].strip()[:40] or "?"

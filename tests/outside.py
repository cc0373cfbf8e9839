"""The rule that nothing opens a connection to the outside but the one way out, and the few places that reach our own engines.

A module here may be used only where it stands, with the reason; a call that opens a connection of an engine's library likewise.
"""

import ast
from collections.abc import Iterator

MODULES = frozenset(
    {
        *(
            "socket",
            "socketserver",
            "http.client",
            "urllib.request",
            "smtplib",
            "ftplib",
            "poplib",
            "imaplib",
            "telnetlib",
            "nntplib",
            "xmlrpc",
        ),
        *("aiosmtplib", "httpx", "httpcore", "aiohttp", "requests", "urllib3", "websockets", "websocket", "grpc", "paramiko", "pycurl"),
        *("boto3", "botocore", "aiobotocore", "aiomqtt", "paho", "pywebpush", "stripe", "redis", "asyncpg", "subprocess", "ctypes"),
    }
)
"""Modules that reach, or let somebody else reach, another machine; their submodules too."""
CALLS = frozenset(
    {
        *("open_connection", "create_connection", "open_unix_connection", "create_unix_connection", "create_datagram_endpoint"),
        *("sock_connect", "sock_sendto", "create_subprocess_exec", "create_subprocess_shell", "create_async_engine", "create_engine"),
        *("from_url", "psycopg.connect", "AsyncConnection.connect", "Connection.connect", "nats.connect", "_client.connect"),
        *("S3Store", "HTTPStore", "os.system", "os.popen", "import_module", "__import__"),
    }
)
"""Calls that open one, by the last parts of their names; and those that would get a module past this rule."""
PLACES: dict[str, tuple[frozenset[str], str]] = {
    "privacy/egress/smtp.py": (frozenset({"aiosmtplib"}), "the way out for mails: wants a permit of Egress.send"),
    "kit/bus.py": (frozenset({"_client.connect"}), "our message bus, at the address of the settings"),
    "kit/database.py": (frozenset({"create_async_engine"}), "our database, at the address of the settings"),
    "kit/storage.py": (frozenset({"from_url"}), "our storage, at the address of the settings"),
    "kit/background.py": (frozenset({"ctypes"}), "the C library, which is asked to give memory back"),
    "platform.py": (frozenset({"AsyncConnection.connect"}), "our database, for binary copying"),
    "migrating.py": (frozenset({"create_engine"}), "our database, as its owner"),
    "probing/rows.py": (frozenset({"psycopg.connect"}), "our database, for the search that proves an erasure"),
    "backup/": (frozenset({"psycopg.connect"}), "our database, as its owner, for backups"),
    "reports/printing.py": (frozenset({"create_subprocess_exec"}), "ourselves once more, to set a report on paper"),
    "demo/fleet.py": (frozenset({"httpx"}), "simulated homes ask our own pages for claim codes"),
    "embedded/": (
        frozenset({"socket", "http.client", "subprocess", "ctypes", "open_connection"}),
        "our engines and their ports",
    ),
}
"""Who may what, below packages/server/lineset, and why. A path that ends with a slash stands for a folder."""


def outside(path: str, text: str) -> Iterator[str]:
    """Nothing reaches out but where `PLACES` says so. `path` is below packages/server/lineset."""
    allowed = frozenset[str]().union(
        *(names for place, (names, _) in PLACES.items() if path == place or (place.endswith("/") and path.startswith(place)))
    )
    for node in ast.walk(ast.parse(text)):
        for name in _reaching(node):
            if name not in allowed:
                yield (
                    f"packages/server/lineset/{path}:{getattr(node, 'lineno', 0)} uses {name}, which opens connections: send through "
                    "lineset.privacy.egress, or give tests/outside.py the reason"
                )


def unused(used: dict[str, str]) -> Iterator[str]:
    """Leave that nobody uses is taken back. `used`: text by path below packages/server/lineset."""
    for place, (names, _) in PLACES.items():
        inside = [text for path, text in used.items() if path == place or (place.endswith("/") and path.startswith(place))]
        found = {name for text in inside for node in ast.walk(ast.parse(text)) for name in _reaching(node)}
        for name in sorted(names - found):
            yield f"tests/outside.py lets {place} use {name}, which it does not; take it out"


def _reaching(node: ast.AST) -> Iterator[str]:
    """Names of what reaches out in this part of the code."""
    if isinstance(node, ast.Import):
        yield from filter(None, (_module(alias.name) for alias in node.names))
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        found = {_module(node.module), *(_module(f"{node.module}.{alias.name}") for alias in node.names)}
        yield from sorted(filter(None, found))
    elif isinstance(node, ast.Call):
        dotted = _dotted(node.func)
        yield from sorted(call for call in CALLS if dotted == call or dotted.endswith(f".{call}"))


def _module(name: str) -> str:
    """The module of `MODULES` that this one is or lies in."""
    return next((module for module in MODULES if name == module or name.startswith(f"{module}.")), "")


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""

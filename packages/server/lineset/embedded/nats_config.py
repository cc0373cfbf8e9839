"""The configuration of our NATS servers: of the embedded pair, and of servers that an operator runs himself."""

import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

from lineset.kit.bus import bus_key
from lineset.kit.ca import Authority
from lineset.kit.settings import Settings, secret

LOOPBACK = "127.0.0.1"
DOMAIN = "hub"

# sync_interval "always": what the broker acknowledged (QoS 1, subject keys) is on the disk, not only in the system's cache. Agents send
# with QoS 0 and clean sessions, which never touch the disk here. The store of subject keys holds the only copy of each key.
_HUB = """\
# Written by Lineset.
server_name: {name}
listen: "{inner}:{client}"
{tls_first}
max_payload: 262144
max_pending: 33554432
jetstream {{ domain: {domain}, store_dir: {store}, sync_interval: always, max_memory_store: 16777216, max_file_store: {max_store} }}
mqtt {{ listen: "{bind}:{mqtt}", {tls_verified}, max_ack_pending: 1024, stream_replicas: {replicas} }}
leafnodes {{
  listen: "{inner}:{leaf}"
  {leaf_known}{tls_first}
  authorization {{ users: [
    {{ user: app, password: "{leaf_app}", account: APP }}
    {{ user: sys, password: "{leaf_sys}", account: SYS }}
  ] }}
}}
accounts {{
  APP {{ jetstream: enabled, users: [ {{ nkey: {service} }} ] }}
  SYS {{ users: [ {{ nkey: {system} }} ] }}
}}
{cluster}{common}"""
_LEAF = """\
# Written by Lineset.
server_name: {name}-token
listen: "{loopback}:-1"
{tls}
max_payload: 262144
max_pending: 33554432
mqtt {{ listen: "{bind}:{token}", js_domain: {domain}, js_api_timeout: "2s", {tls} }}
leafnodes {{ reconnect: "1s", remotes: [
  {{ url: "tls://app:{leaf_app}@{leaf_host}:{leaf}", account: APP, tls {{ ca_file: {ca}, timeout: 5, handshake_first: true }} }}
  {{ url: "tls://sys:{leaf_sys}@{leaf_host}:{leaf}", account: SYS, tls {{ ca_file: {ca}, timeout: 5, handshake_first: true }} }}
] }}
accounts {{
  APP {{ users: [ {{ nkey: {service} }} ] }}
  SYS {{ users: [ {{ nkey: {system} }} ] }}
}}
{common}"""
# A certificate of the authority alone opens no route: every gateway has one. no_advertise: our processes know all servers by the names
# in their certificates, and need no addresses besides. A server that is silent is given up after 9 s, not after two minutes.
_CLUSTER = """\
cluster {{
  name: lineset
  listen: "{bind}:{cluster_port}"
  advertise: {cluster_known}
  no_advertise: true
  {tls}
  authorization {{ user: route, password: "{route}", timeout: 5 }}
  routes: [ {routes} ]
  ping_interval: "3s"
  ping_max: 2
}}
"""
_COMMON = """\
system_account: SYS
authorization {{
  timeout: 4
  auth_callout {{ issuer: {issuer}, account: APP, auth_users: [ {service}, {system} ] }}
}}
ping_interval: "30s"
write_deadline: "5s"
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a pair of servers (hub and token server) listens and keeps its files."""

    folder: Path  # of ca.pem, server.pem and server.key
    store: Path
    mqtt: int
    token: int
    client: int
    leaf: int
    name: str = "hub"
    bind: str = LOOPBACK  # where devices come in
    inner: str = LOOPBACK  # where our own processes and the token server come in
    leaf_host: str = LOOPBACK
    known: str = LOOPBACK  # the name by which the other machines of a cluster reach this one
    cluster_port: int = 6222
    routes: tuple[str, ...] = ()  # the other hubs of a cluster, host:port
    max_store: int = 4 << 30  # bytes


def render(settings: Settings, layout: Layout) -> tuple[str, str]:
    """The configurations of the hub and of its token server. They hold passwords, derived from the installation's secret."""
    certificate, its_key, root = (_quoted(layout.folder / name) for name in ("server.pem", "server.key", "ca.pem"))
    files = f"cert_file: {certificate}, key_file: {its_key}, ca_file: {root}, timeout: 5"
    names = {account: bus_key(settings, account).public_key.decode() for account in ("service", "system", "issuer")}
    key = secret(settings, "bus")
    values: dict[str, str | int] = {
        **names,
        **{
            field: getattr(layout, field)
            for field in ("name", "mqtt", "token", "client", "leaf", "bind", "inner", "leaf_host", "max_store")
        },
        "cluster_port": layout.cluster_port,
        "route": hmac.digest(key, b"route", "sha256").hex(),
        "cluster_known": _quoted(f"{layout.known}:{layout.cluster_port}"),
        "leaf_known": f"advertise: {_quoted(f'{layout.known}:{layout.leaf}')}\n  " if layout.routes else "",
        "replicas": 3 if len(layout.routes) >= 2 else 1,
        "store": _quoted(layout.store),
        "loopback": LOOPBACK,
        "domain": DOMAIN,
        "ca": root,
        "tls": f"tls {{ {files} }}",
        "tls_first": f"tls {{ {files}, handshake_first: true }}",
        "tls_verified": f"tls {{ {files}, verify: true }}",
        "leaf_app": hmac.digest(key, b"leaf:app", "sha256").hex(),
        "leaf_sys": hmac.digest(key, b"leaf:sys", "sha256").hex(),
    }
    values["routes"] = ", ".join(_quoted(f"tls://route:{values['route']}@{route}") for route in layout.routes)
    values["common"] = _COMMON.format_map(values)
    values["cluster"] = _CLUSTER.format_map(values) if layout.routes else ""
    return _HUB.format_map(values), _LEAF.format_map(values)


def write_files(settings: Settings, folder: Path, layout: Layout, hosts: list[str]) -> list[Path]:
    """All that a machine needs to run `nats-server -c hub.conf` and, beside it, `nats-server -c token.conf`. Returns the files; those
    with secrets have mode 600."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = Authority.open(settings)
    certificate, key = authority.server(hosts, peer=bool(layout.routes))
    hub, token = render(settings, layout)
    contents = {"ca.pem": authority.pem, "server.pem": certificate, "server.key": key.decode(), "hub.conf": hub, "token.conf": token}
    written = []
    for name, content in contents.items():
        path = folder / name
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644 if name.endswith(".pem") else 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(content)
        written.append(path)
    return written


def _quoted(text: Path | str) -> str:
    return json.dumps(str(text), ensure_ascii=False)

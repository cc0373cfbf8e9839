"""Writes what each machine of a plan needs: configurations, certificates, settings, and units for systemd."""

import os
import re
import shutil
import string
from collections.abc import Mapping
from pathlib import Path

from lineset.embedded.nats_config import Layout, write_files
from lineset.kit.addresses import OWNER, database_secret, role_password
from lineset.kit.ca import Authority
from lineset.kit.errors import Invalid
from lineset.kit.settings import SECRETS, Settings, secret

from deploy.plan import Database, Machine, Plan, check

TEMPLATES = Path(__file__).parent / "templates"
DATABASE_FOLDER = "database"

_ROLE_UNITS = ("lineset-web.service", "lineset-ingest@.service", "lineset-worker@.service")
_BUS_UNITS = ("lineset-nats.service", "lineset-nats-token.service")


def write(plan: Plan, data: Path, out: Path, env: Mapping[str, str] | None = None) -> list[Path]:
    """Write a folder for each machine and one for the database into `out`. Returns them.

    `data`: the data folder whose secrets the cluster uses; they are made there at first. `env` may hold LINESET_S3_KEY_ID and
    LINESET_S3_SECRET. Files with secrets have mode 600, their folders 700.

    Raises:
        Invalid: the plan would not make a cluster, or a value can't be written down.
    """
    check(plan)
    for name in SECRETS:
        secret(Settings(data=data), name)
    authority = Authority.open(Settings(data=data))
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [
        *(_write_machine(plan, machine, data, out / machine.name, env or os.environ) for machine in plan.machine),
        write_database(plan.database, data, authority, out / DATABASE_FOLDER),
    ]


def write_database(database: Database, data: Path, authority: Authority, folder: Path) -> Path:
    """Write what the machine of the database needs."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate, key = authority.server([database.host])
    values = {
        "listen": database.listen,
        "port": str(database.port),
        "home": database.home,
        "password": role_password(database_secret(Settings(data=data)), OWNER),
    }
    _put(folder / "ca.pem", authority.pem, 0o644)
    _put(folder / "server.pem", certificate, 0o644)
    _put(folder / "server.key", key.decode(), 0o600)
    for name in ("postgresql.conf", "pg_hba.conf", "roles.sql"):
        _put(folder / name, _filled(name, values), 0o600 if name == "roles.sql" else 0o644)
    return folder


def _write_machine(plan: Plan, machine: Machine, data: Path, folder: Path, env: Mapping[str, str]) -> Path:
    home = Path(machine.home)
    settings = Settings(data=data, mqtt_port=machine.mqtt_port, mqtt_token_port=machine.mqtt_token_port)
    layout = Layout(
        folder=home / "nats",
        store=home / "nats" / "store",
        mqtt=machine.mqtt_port,
        token=machine.mqtt_token_port,
        client=machine.client_port,
        leaf=machine.leaf_port,
        name=machine.name,
        bind=machine.listen,
        inner=machine.listen,
        known=machine.host,
        cluster_port=machine.cluster_port,
        routes=tuple(f"{other.host}:{other.cluster_port}" for other in plan.machine if other is not machine),
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_files(settings, folder / "nats", layout, [machine.host])
    _copy_secrets(data, folder / "data")
    values = _values(plan, machine, data, env)
    more = "".join(f"{name}='{_one_line(name, value)}'\n" for name, value in sorted(plan.env.items()))
    _put(folder / "lineset.env", _filled("lineset.env", values) + more, 0o600)
    units = folder / "systemd"
    units.mkdir(exist_ok=True)
    for name in (*_BUS_UNITS, *_ROLE_UNITS):
        _put(units / name, _filled(name, values), 0o644)
    return folder


def _values(plan: Plan, machine: Machine, data: Path, env: Mapping[str, str]) -> dict[str, str]:
    own = {field: str(getattr(machine, field)) for field in Machine.__struct_fields__}
    return own | {
        "hosts": machine.host,
        "password": role_password(database_secret(Settings(data=data)), OWNER),
        "database_host": plan.database.host,
        "database_port": str(plan.database.port),
        "nats_url": plan.nats_url,
        "mqtt_servers": plan.mqtt_servers,
        "public_url": plan.public_url,
        "history_url": plan.history.url,
        "s3_endpoint": plan.history.endpoint,
        "s3_region": plan.history.region,
        "s3_key_id": env.get("LINESET_S3_KEY_ID", ""),
        "s3_secret": env.get("LINESET_S3_SECRET", ""),
        "web": str(max(machine.web, 1)),
    }


def _filled(template: str, values: Mapping[str, str]) -> str:
    return string.Template((TEMPLATES / template).read_text()).substitute({name: _one_line(name, value) for name, value in values.items()})


def _one_line(name: str, value: str) -> str:
    """The value, which may not begin a setting of its own: `lineset.env` is read by systemd and by shells.

    Raises:
        Invalid: it holds a line break or a quote.
    """
    if re.search(r"[\r\n'\\]", value):
        raise Invalid("bad_plan", f"{name} has a line break, a quote or a backslash, which a setting can't have.")
    return value


def _copy_secrets(data: Path, target: Path) -> None:
    """The same secrets on each machine: passwords, identities on the bus and certificates come from them."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    (target / "secrets").mkdir(mode=0o700, exist_ok=True)
    for name in (*SECRETS, "ca.key"):
        _put(target / "secrets" / name, (data / "secrets" / name).read_bytes(), 0o600)
    shutil.copyfile(data / "ca.pem", target / "ca.pem")


def _put(path: Path, content: str | bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)

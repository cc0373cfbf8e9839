"""The plan of a cluster, and the files that are written from it."""

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from lineset.embedded.nats import wheel_program
from lineset.kit.errors import Invalid
from lineset.kit.settings import from_environment

from deploy.loopback import loopback_plan
from deploy.plan import Database, History, Machine, Plan, check, read_plan
from deploy.writing import write
from tests.checks import ROOT

EXAMPLE = ROOT / "deploy" / "cluster.toml"
A, B, C = (Machine(name=name, host=f"{name}.example.org") for name in "abc")
GOOD = Plan((A, B, C), Database("db.example.org"), History("s3://history"), "https://lineset.example.org")


def changed(machine: Machine, **fields: object) -> Machine:
    return msgspec.structs.replace(machine, **fields)


def sourced(path: Path) -> dict[str, str]:
    """The settings as a shell reads them."""
    said = subprocess.run(["bash", "-c", f"set -a; . '{path}'; env -0"], env={}, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in said.split("\0") if line.startswith("LINESET_"))


@pytest.mark.parametrize(
    ("plan", "say"),
    [
        ({"machine": (A, B)}, "2 machines; streams are kept on 3"),
        ({"machine": (A, B, changed(C, name="a"))}, "a name of its own"),
        ({"machine": (A, B, changed(C, name="../c"))}, "a name of its own"),
        ({"machine": (A, changed(B, ingest=0), changed(C, ingest=0))}, "Only one machine runs ingest"),
        ({"machine": (A, B, changed(C, worker=-1))}, "0 to 64 worker"),
        ({"machine": (A, B, changed(C, mqtt_port=4222))}, "six different ports"),
        ({"machine": (A, B, changed(C, host='c" ]'))}, "has a character"),
        ({"machine": (A, B, changed(C, home="/var/lib/line set"))}, "has a character"),
        ({"database": Database("db'")}, "has a character"),
        ({"history": History("/var/lib/history")}, "S3-compatible"),
        ({"history": History("s3://h", "http://s3.example.org")}, "not encrypted"),
        ({"public_url": "http://lineset.example.org"}, "https"),
        ({"env": {"PATH": "/usr/bin"}}, "only LINESET_"),
    ],
)
def test_a_plan_that_would_not_work_says_what_to_change(plan: dict[str, object], say: str) -> None:
    check(GOOD)
    with pytest.raises(Invalid, match=say):
        check(msgspec.structs.replace(GOOD, **plan))


@pytest.mark.parametrize("text", ["machine = 3", "[[machine", '[database]\nhost = "x"\nprot = 5432'])
def test_a_plan_that_can_not_be_read_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "cluster.toml").write_text(text)
    with pytest.raises(Invalid, match=r"cluster\.toml is not usable"):
        read_plan(tmp_path / "cluster.toml")


@pytest.mark.parametrize("value", ["a\nLINESET_HOST=0.0.0.0", "it's", "a\\b"])
def test_no_value_of_a_plan_becomes_a_setting_of_its_own(value: str, tmp_path: Path) -> None:
    plan = msgspec.structs.replace(GOOD, env={"LINESET_MAIL_FROM": value})
    with pytest.raises(Invalid, match="LINESET_MAIL_FROM"):
        write(plan, tmp_path / "data", tmp_path / "out", {})


def test_the_plan_that_comes_along_is_written_as_the_roles_read_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    keys = {"LINESET_S3_KEY_ID": "id", "LINESET_S3_SECRET": "sh/h+="}
    assert [path.name for path in write(read_plan(EXAMPLE), tmp_path / "data", out, keys)] == ["a", "b", "c", "database"]
    settings = from_environment(sourced(out / "a" / "lineset.env"))
    assert settings.url == "https://lineset.example.org"
    assert settings.loopback is False
    assert settings.web_host == "127.0.0.1"
    assert settings.nats_url.count("tls://") == 3
    assert settings.mqtt_servers == tuple(f"{name}.lineset.example.org:8883" for name in "abc")
    assert settings.database_url.endswith("?sslmode=verify-full&sslrootcert=/var/lib/lineset/data/ca.pem")
    assert (settings.history_url, settings.s3.endpoint, settings.s3.secret) == (
        "s3://lineset-history/telemetry",
        "https://s3.example.org",
        "sh/h+=",
    )
    assert settings.smtp_url == "smtps://lineset@mail.example.org"
    for path in out.rglob("*"):
        secret = path.parent.name == "secrets" or path.name in {"lineset.env", "hub.conf", "token.conf", "server.key", "roles.sql"}
        assert not secret or path.stat().st_mode & 0o077 == 0, path
    assert out.stat().st_mode & 0o077 == 0


def test_SEC_02_certificates_are_made_anew_and_secrets_stay(tmp_path: Path) -> None:
    kept: dict[Path, bytes] = {}
    new: dict[Path, bytes] = {}
    for known in (kept, new):
        write(GOOD, tmp_path / "data", tmp_path / "out", {})
        known |= {path.relative_to(tmp_path): path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    differ = {path.name for path in kept if kept[path] != new[path]}
    assert differ == {"server.pem", "server.key"}


def test_nats_and_systemd_take_what_was_written(tmp_path: Path) -> None:
    plan = loopback_plan(tmp_path)
    write(plan, tmp_path / "data", tmp_path, {})
    program = str(wheel_program()[0])
    for machine in plan.machine:
        for conf in ("hub.conf", "token.conf"):
            done = subprocess.run(
                [program, "-t", "-c", str(tmp_path / machine.name / "nats" / conf)], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
    if analyze := shutil.which("systemd-analyze"):
        units = sorted((tmp_path / "a" / "systemd").iterdir())
        assert len(units) == 5
        done = subprocess.run([analyze, "verify", *map(str, units)], capture_output=True, text=True, check=False)
        ours = [line for line in done.stderr.splitlines() if str(tmp_path / "a" / "systemd") in line or line.startswith("lineset")]
        assert ours == []

"""What `lineset status` tells."""

import http.client
import json
from pathlib import Path
from typing import Any

from lineset.embedded.run import RunFolder
from lineset.kit.settings import Settings


def report(settings: Settings) -> dict[str, Any]:
    """Whether the tree of this data folder runs, whether every part of it works, and its processes with their memory.

    `memory_mb` is the proportional set size in MB (10^6 bytes) of a process and its children: what they share counts once, divided
    among them, so the sum is what the tree takes from the machine.
    """
    folder = RunFolder(settings.data)
    state = folder.read() if folder.taken() else None
    if state is None:
        nothing: dict[str, Any] = {"pid": None, "since": None, "memory_mb": 0, "roles": [], "parts": {}}
        return {"running": False, "ready": False, "data": str(settings.data), "state": "stopped", "web": settings.url, **nothing}
    status, parts = _health(*state.listens)
    roles: list[dict[str, Any]] = [
        {
            "name": role.name,
            "state": role.state,
            "pid": role.pid,
            "restarts": role.restarts,
            "since": role.since,
            "memory_mb": _memory(role.pid) if role.pid else None,
        }
        for role in state.roles
    ]
    own = _memory(state.pid, deep=False)
    return {
        "running": True,
        "ready": state.state == "ready" and status == http.client.OK,
        "data": state.data,
        "state": state.state,
        "pid": state.pid,
        "since": state.since,
        "web": state.web,
        "mqtt_port": state.mqtt,
        "mqtt_token_port": state.mqtt_token,
        "memory_mb": (own or 0) + sum(role["memory_mb"] or 0 for role in roles),
        "roles": roles,
        "parts": parts,
    }


def _health(host: str, port: int) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(host, port, timeout=6)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("parts", {})
    except (OSError, http.client.HTTPException, ValueError) as error:
        return 0, {"web": str(error) or type(error).__name__}
    finally:
        connection.close()


def _memory(pid: int, *, deep: bool = True) -> int | None:
    """Proportional set size in MB of a process, with `deep` also of all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    waiting, total, seen = [pid], 0, False
    while waiting:
        one = waiting.pop()
        if deep:
            waiting += children.get(one, [])
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        seen = True
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0) * 1024
    return round(total / 1e6) if seen else None

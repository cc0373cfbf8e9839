"""What the documentation says is so: its examples decode, its numbers and lists are those of the code."""

import re
import tomllib
from typing import get_args

import msgspec
import pytest
from lineset.api import shapes
from lineset.kit.settings import Contact
from lineset_contract import topics, wire
from lineset_contract.profiles import PROFILES
from lineset_contract.refusals import SENTENCES
from lineset_contract.values import check_frame

from tests.checks import ROOT, tracked

DOCS = {str(path.relative_to(ROOT)): path.read_text() for path in tracked("*.md", "docs/**/*.md")}
DEVICE_API = (ROOT / "docs" / "guides" / "device-api.md").read_text()
EXAMPLES = re.findall(r"^```json (\w+)\n(.*?)^```$", DEVICE_API, re.M | re.S)


def section(page: str, title: str) -> str:
    """The text below a heading, up to the next one."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    assert found, f"the page has no section {title!r}"
    return found[1]


@pytest.mark.parametrize(("kind", "text"), EXAMPLES, ids=[f"{kind}-{i}" for i, (kind, _) in enumerate(EXAMPLES)])
def test_every_example_of_the_device_guide_decodes(kind: str, text: str) -> None:
    shape = getattr(wire, kind, None) or getattr(shapes, kind)
    message = wire.decode(shape, text.encode()) if hasattr(wire, kind) else msgspec.json.decode(text, type=shape)
    said, meant = msgspec.json.decode(text), msgspec.to_builtins(message)
    assert {name: meant[name] for name in said} == said, "an example has a field that the code does not know"
    if isinstance(message, wire.FrameMessage):
        assert not any(check_frame(frame, None).refused or check_frame(frame, None).unknown for frame in message.frames)
    if isinstance(message, wire.Command):
        assert any(message.name in profile.commands for profile in PROFILES.values())


def test_the_device_guide_has_an_example_of_every_message() -> None:
    messages = {"FrameMessage", "Ack", "Command", "Result", "Desired", "Reported", "Event", "Status"}
    assert {kind for kind, _ in EXAMPLES} == messages | {"Stored", "Enrolment", "Identity", "Renewal"}
    assert all(f"`{kind}`" in section(DEVICE_API, "Events and status") for kind in get_args(wire.EventKind))
    assert all(f"`{state}`" in section(DEVICE_API, "Commands") for state in get_args(wire.ResultState))


def test_the_device_guide_lists_every_refusal_and_no_other() -> None:
    listed = [code for row in re.findall(r"^\| (`.*?) \|", section(DEVICE_API, "Refusals"), re.M) for code in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(SENTENCES)
    held_back = re.findall(r"^\| `(\w+)` \| \w+ \| \*\*Not final", section(DEVICE_API, "Refusals"), re.M)
    assert set(held_back) == wire.HELD_BACK


def test_the_device_guide_lists_every_topic() -> None:
    listed = re.findall(r"^\| `(\S+)` \| (up|down) \|", section(DEVICE_API, "Topics"), re.M)
    assert set(listed) == {(f"{topics.PREFIX}/{{gateway}}/{c}", "up") for c in topics.UP} | {
        (f"{topics.PREFIX}/{{gateway}}/{c}", "down") for c in topics.DOWN
    }


def test_the_numbers_of_the_device_guide_are_those_of_the_code() -> None:
    from lineset.gateways.callout import Callout  # noqa: PLC0415 - these stand behind faces, and only this test asks for them
    from lineset.gateways.happenings import MAX_DETAIL_BYTES, MAX_EVENTS_AN_HOUR  # noqa: PLC0415
    from lineset.kit.ca import GATEWAY_DAYS  # noqa: PLC0415
    from lineset.telemetry.layout import MAX_UNKNOWN  # noqa: PLC0415
    from lineset.telemetry.store import AHEAD  # noqa: PLC0415
    from lineset.telemetry.throttle import BYTES_PER_FRAME, Throttle  # noqa: PLC0415

    frames = " ".join(section(DEVICE_API, "Frames").split())
    assert f"| bytes in a message | {wire.MAX_MESSAGE_BYTES:,} |" in frames
    assert f"| frames in a message | {wire.MAX_FRAMES} |" in frames
    assert f"| points in a frame | {wire.MAX_POINTS_PER_FRAME} |" in frames
    assert f"| points of one machine that the catalogue does not know | {MAX_UNKNOWN} |" in frames
    assert f"| {wire.MAX_CLOCK_AHEAD_S} s |" in frames
    assert f"| {wire.MAX_AGE_LIVE_S // 86_400} days;" in frames
    assert f"| {wire.WINDOW} are good practice; those more than {AHEAD:,} beyond" in frames
    assert f"| {Throttle.PER_SECOND}, after a first {Throttle.BURST:,} |" in frames
    assert f"| {Throttle.HOUSEHOLD_PER_SECOND:,}, after a first {Throttle.HOUSEHOLD_BURST:,} |" in frames
    assert f"| {BYTES_PER_FRAME:,}, where that is more" in frames
    assert f"1 to {wire.MAX_NAME} of a-z" in frames
    assert f"1 to {wire.MAX_EPOCH} ASCII letters" in section(DEVICE_API, "Numbers and acknowledgements")
    assert f"A certificate lasts {GATEWAY_DAYS} days" in section(DEVICE_API, "Connecting")
    assert Callout.FAILURES_PER_GATEWAY == 10
    assert f"At most {MAX_EVENTS_AN_HOUR} events" in section(DEVICE_API, "Events and status")
    assert f"{MAX_DETAIL_BYTES // 1024} kB of detail" in section(DEVICE_API, "Events and status")


def test_every_setting_stands_in_the_operators_guide() -> None:
    code = "".join(path.read_text() for path in tracked("packages/**/*.py"))
    named = set(re.findall(r"LINESET_[A-Z0-9_]+", code)) - {"LINESET_CONTACT_"} | {
        f"LINESET_CONTACT_{name.upper()}" for name in Contact.__struct_fields__
    }
    assert named == set(re.findall(r"`(LINESET_[A-Z0-9_]+)`", DOCS["docs/guides/operate.md"]))


@pytest.mark.parametrize("page", sorted(DOCS))
def test_files_that_the_documentation_names_exist(page: str) -> None:
    named = re.findall(r"`((?:packages|docs|tests|bench|deploy)/[\w./-]+)`", DOCS[page])
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_architecture_shows_the_layers_as_lint_has_them() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c.get("containers") == ["lineset"])
    rows = re.findall(r"^\| (`.*?) \|", section(DOCS["docs/architecture.md"], "Inside the server"), re.M)
    place = {name.removesuffix(".py"): n for n, row in enumerate(rows) for name in re.findall(r"`(\w+)[./]", row)}
    order = [place[name] for layer in layers for name in re.findall(r"\w+", layer)]
    assert order == sorted(order)


def test_the_architecture_names_every_part_of_the_server() -> None:
    server = ROOT / "packages" / "server" / "lineset"
    parts = {p.name for p in server.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    parts |= {p.name for p in server.glob("*.py") if p.name != "__init__.py"}
    named = set(re.findall(r"[\w.]+", section(DOCS["docs/architecture.md"], "Inside the server")))
    assert parts - named == set()

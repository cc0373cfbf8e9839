"""The log as a file that anybody can check without the database, and the check itself.

A file holds lines of JSON: first a head with the public key and the checkpoints, then a line for each place in the chain with its leaf and,
as long as it is kept, its entry.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lineset.privacy.audit.chain import (
    ACTOR_FIELDS,
    FIRST,
    PLAIN_FIELDS,
    SUBJECT_FIELDS,
    Checkpoint,
    Peaks,
    body_of,
    checkpoint_from,
    instant,
    leaf_of,
    salted,
)
from lineset.privacy.audit.model import LOG_DAYS

FORMAT = "lineset access log 1"
FORGOTTEN = "forget_home"
"""The action of entries by which the log tells which of its entries were pseudonymised."""
SECRETS = ("subject_salt", "subject_digest", "actor_salt", "actor_digest")
MOST_FAULTS = 100
MOST_LINE = 100_000


@dataclass(slots=True)
class Verdict:
    """What a check found: none of `faults` means that nothing was changed, taken away, added, or put elsewhere."""

    entries: int = 0
    leaves: int = 0
    pseudonymised: int = 0
    checkpoints: int = 0
    root: bytes = b""
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    def fault(self, text: str) -> None:
        """Note something that is wrong; after a hundred of them, no more."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)


@dataclass(slots=True)
class _State:
    """How far the check has come."""

    peaks: Peaks
    key: Ed25519PublicKey
    claims: dict[int, list[Checkpoint]]
    kept_from: str
    before: bytes = FIRST
    emptied: dict[str, set[int]] = field(default_factory=lambda: {"subject": set(), "actor": set()})
    noted: dict[str, set[int]] = field(default_factory=lambda: {"subject": set(), "actor": set()})


def check_lines(lines: Iterable[str], key: bytes, old: Checkpoint | None = None) -> Verdict:
    """Check a file against the platform's public key (32 bytes), and against a checkpoint that somebody kept from before.

    Raises:
        ValueError: this is no such file, so nothing can be said of it.
    """
    reading = _read(lines)
    head = next(reading, None)
    if head is None or head.get("format") != FORMAT:
        raise ValueError("this is no file of the access log")
    try:
        claims = [checkpoint_from(told) for told in head["checkpoints"]]
        made_at = datetime.strptime(head["made_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the head of the file is not whole: {error}") from error
    verdict = Verdict(checkpoints=len(claims))
    public = Ed25519PublicKey.from_public_bytes(key)
    kept_from = instant(made_at - timedelta(days=LOG_DAYS))
    state = _State(Peaks(), public, {}, kept_from)
    for claim in [*claims, *([old] if old is not None else [])]:
        if not claim.holds(public):
            verdict.fault(f"the checkpoint over {claim.size} entries was not signed by this platform's key")
        state.claims.setdefault(claim.size, []).append(claim)
    _compare(state, verdict)
    for line in reading:
        _leaf(state, line, verdict)
    _finish(state, claims, verdict)
    return verdict


def _read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            found = json.loads(line) if len(line) <= MOST_LINE else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ValueError(f"line {number} is no line of the access log")  # noqa: TRY004 - of the file, not of a caller's argument
        yield found


def _leaf(state: _State, line: Mapping[str, Any], verdict: Verdict) -> None:
    """One place of the chain: the leaf from what comes before it, and the entry that it stands for."""
    place = state.peaks.size + 1
    seq, at, entry = line.get("seq"), str(line.get("at")), line.get("entry")
    try:
        body, leaf = bytes.fromhex(line["body"]), bytes.fromhex(line["hash"])
    except (KeyError, TypeError, ValueError):
        verdict.fault(f"place {place}: the digests can't be read")
        body = leaf = b""
    if seq != place:
        verdict.fault(f"place {place}: entry {seq} stands here; entries were taken away, added or put elsewhere")
    if leaf_of(place, at, state.before, body) != leaf:
        verdict.fault(f"place {place}: the leaf does not follow from the one before it")
    state.before = leaf
    state.peaks.append(leaf)
    verdict.leaves += 1
    if entry is not None:
        _entry(state, place, at, body, entry, verdict)
    elif at >= state.kept_from:
        verdict.fault(f"place {place}: its entry is missing, and its time of {LOG_DAYS} days is not over")
    _compare(state, verdict)


def _entry(state: _State, place: int, at: str, body: bytes, entry: Any, verdict: Verdict) -> None:
    verdict.entries += 1
    try:
        digests = {}
        for side, names in (("subject", SUBJECT_FIELDS), ("actor", ACTOR_FIELDS)):
            digests[side] = bytes.fromhex(entry[f"{side}_digest"])
            if entry[f"{side}_salt"] is None:
                state.emptied[side].add(place)
                if any(entry[name] for name in names):
                    verdict.fault(f"place {place}: fields without a salt prove nothing")
            elif salted(bytes.fromhex(entry[f"{side}_salt"]), (entry[name] for name in names)) != digests[side]:
                verdict.fault(f"place {place}: {', '.join(names)} changed")
        if body_of(entry, digests["subject"], digests["actor"]) != body or entry["at"] != at:
            verdict.fault(f"place {place}: the entry changed")
        if entry["action"] == FORGOTTEN and entry["purpose"] == "rights":
            _noted(state, str(entry["reason"]))
    except (KeyError, TypeError, ValueError):
        verdict.fault(f"place {place}: the entry is not whole")


def _noted(state: _State, text: str) -> None:
    """Take in which entries the log says were pseudonymised, such as "subject: 3-7,12"."""
    side, _, ranges = text.partition(": ")
    for span in ranges.split(","):
        first, _, last = span.partition("-")
        state.noted[side].update(range(int(first), min(int(last or first), state.peaks.size) + 1))


def _compare(state: _State, verdict: Verdict) -> None:
    """Hold the tree, as long as it is now, against what was signed for that length."""
    for claim in state.claims.get(state.peaks.size, ()):
        if claim.root != state.peaks.root:
            verdict.fault(f"the checkpoint over {claim.size} entries of {claim.made_at} does not fit: the log was changed after it")


def _finish(state: _State, claims: list[Checkpoint], verdict: Verdict) -> None:
    size = state.peaks.size
    for length in state.claims:
        if length > size:
            verdict.fault(f"a checkpoint was signed over {length} entries, and there are {size}: the end of the log is missing")
    if size and max((c.size for c in claims), default=0) < size:
        verdict.fault("the last entries are under no checkpoint")
    for side in ("subject", "actor"):
        verdict.pseudonymised += len(state.emptied[side])
        for place in sorted(state.emptied[side] - state.noted[side]):
            verdict.fault(f"place {place}: what tells about the {'home' if side == 'subject' else 'actor'} is gone, and no erasure says so")
    verdict.root = state.peaks.root


def head_line(claims: Iterable[Checkpoint], key: bytes, made_at: datetime) -> str:
    """The first line of a file."""
    told = {"format": FORMAT, "made_at": instant(made_at), "public_key": key.hex(), "checkpoints": [c.told() for c in claims]}
    return json.dumps(told)


def leaf_line(seq: int, at: datetime, body: bytes, leaf: bytes, entry: Mapping[str, Any] | None) -> str:
    """A line of a place in the chain, with its entry where that is kept."""
    told = {"seq": seq, "at": instant(at), "body": body.hex(), "hash": leaf.hex(), "entry": entry}
    return json.dumps(told, separators=(",", ":"))


ENTRY_FIELDS = (*PLAIN_FIELDS, *SUBJECT_FIELDS, *ACTOR_FIELDS, *SECRETS)
"""What a line holds of an entry, digests and salts as hexadecimal numbers."""

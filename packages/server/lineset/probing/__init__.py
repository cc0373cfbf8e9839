"""Proof that erased bytes are gone: every tier is searched for canaries, each format decoded, before an erasure and after it.

`record` searches before and keeps what it found; `verify` searches again. Both say what `Outcome` says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings
from lineset.probing import records
from lineset.probing.canary import MOST, canary
from lineset.probing.places import TIERS
from lineset.probing.run import Findings, Progress, probe

__all__ = ["TIERS", "Outcome", "record", "verify"]


@dataclass(frozen=True)
class Outcome:
    """What a search found, and what was found before (None: this was the search before).

    `missing`: canaries, by their number, that were not found before, with the tier on which they had to be ("" for: anywhere).
    """

    findings: Findings
    before: list[dict[str, int]] | None
    missing: list[tuple[int, str]]

    @property
    def remaining(self) -> list[int]:
        """The canaries, by their number, that are still there after the erasure."""
        return [] if self.before is None else [n for n, counts in enumerate(self.findings.counts) if counts]

    @property
    def code(self) -> int:
        """0: proven. 1: still found. 2: not found before, so it proves nothing. 3: something could not be searched."""
        return 1 if self.remaining else 2 if self.missing else 3 if self.findings.unread else 0

    def lines(self) -> Iterator[tuple[str, str]]:
        """What to tell, as style and text: first what was found, then what that means."""
        for n, wanted in enumerate(self.findings.canaries):
            counts = self.findings.counts[n]
            told = ", ".join(f"{counts[tier]} in {tier}" for tier in TIERS if tier in counts) or "nowhere"
            was = "" if self.before is None else f"; before: {', '.join(f'{c} in {t}' for t, c in self.before[n].items()) or 'nowhere'}"
            yield "", f"canary {n + 1} ({wanted.hint}): {told}{was}"
            for tier in TIERS:
                for place in self.findings.places[n].get(tier, []):
                    yield "" if self.before is None else "bold red", f"  {tier}: {place}"
        for text in self.findings.limits:
            yield "yellow", f"not searched: {text}"
        for text in self.findings.unread:
            yield "bold red", f"can't be searched: {text}"
        for n, tier in self.missing:
            where = f"in {tier}" if tier else "anywhere"
            yield "bold red", f"canary {n + 1} was not found {where} before the erasure, so not finding it afterwards proves nothing"
        yield self._verdict()

    def _verdict(self) -> tuple[str, str]:
        if self.remaining:
            return "bold red", f"{len(self.remaining)} of {len(self.findings.canaries)} canaries are still there"
        if self.missing or self.findings.unread:
            return "bold red", "nothing is proven"
        if self.before is None:
            return "bold", "every canary was found; search again with --against after the erasure"
        return "bold green", "gone: no canary is found any more"


def record(settings: Settings, path: Path, texts: Sequence[str], expected: Sequence[str], progress: Progress) -> Outcome:
    """Search before an erasure, and write what was found to `path`. Each canary must be found on every `expected` tier, or anywhere.

    Raises:
        Invalid: a canary, a tier or the path can't be used.
        Unreachable: database, message bus or storage do not answer.
    """
    wanted = list(dict.fromkeys(texts))
    if not 0 < len(wanted) <= MOST:
        raise Invalid("canaries", f"Give 1 to {MOST} canaries with --canary: texts or numbers that stand in what is to be erased.")
    if unknown := sorted(set(expected) - set(TIERS)):
        raise Invalid("bad_tier", f"{unknown[0]!r} is no tier. There are {', '.join(TIERS)}.")
    canaries = [canary(text) for text in wanted]
    records.check_target(path)
    findings = probe(settings, canaries, progress)
    tiers = [tier for tier in TIERS if tier in set(expected)]
    told = records.made(records.Sealer(settings), wanted, findings.counts, tiers, findings.limits + findings.unread)
    records.write(path, told)
    return Outcome(findings, None, _missing(findings.counts, tiers))


def verify(settings: Settings, path: Path, texts: Sequence[str], progress: Progress) -> Outcome:
    """Search after an erasure for the canaries of the record. `texts` need not be given; those that are must be in the record.

    Raises:
        Invalid: the record can't be used, or does not know one of the canaries.
        Unreachable: database, message bus or storage do not answer.
    """
    known = records.read(path)
    sealer = records.Sealer(settings)
    digests = {entry.digest for entry in known.canaries}
    if any(sealer.digest(text) not in digests for text in texts):
        raise Invalid("canaries", "The record does not know one of these canaries: it was not searched for before, so nothing is proven.")
    findings = probe(settings, [canary(sealer.text(entry)) for entry in known.canaries], progress)
    before = [entry.found for entry in known.canaries]
    return Outcome(findings, before, _missing(before, known.expected))


def _missing(counts: Sequence[dict[str, int]], expected: Sequence[str]) -> list[tuple[int, str]]:
    return [(n, tier) for n, found in enumerate(counts) for tier in expected if not found.get(tier)] + [
        (n, "") for n, found in enumerate(counts) if not expected and not found
    ]

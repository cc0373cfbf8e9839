"""How well the platform's own diagnosis does on simulated fleets whose faults are known.

`homes.py` and `fleet.py` draw homes of several makes and climates, most of them without a fault; `record.py` lets the simulator
live them and writes what their sensors said, and apart from it the truth; `ask.py` has the platform diagnose that, as a program of its
own; `score.py` compares, in the terms of Yuill and Braun (2013); `table.py` writes the page. Scorer, simulator and detectors share nothing
but the names of the contract. `python -m bench.diagnosis --help` says how to run it.
"""

from datetime import UTC, datetime
from pathlib import Path

SCHOOL_HOMES, SCHOOL_DAYS = 500, 14
FOLDER = Path(__file__).parent.parent.parent / ".fleets"


def report(homes: int = 200, days: int = 28, seed: int | None = None) -> str:
    """Record a fleet unless it is there, have it diagnosed, and say how that went, as Markdown: by norms that another fleet of the same
    makes taught, and without. Without a seed it is today's, so that rules that were tuned on one fleet are judged on another."""
    seed = datetime.now(UTC).toordinal() if seed is None else seed
    # the simulator and the table library are not for who only imports the scorer
    from bench.diagnosis import ask, record, score, table  # noqa: PLC0415

    place = record.fleet(FOLDER, homes, days, seed)
    truth = record.truth(place)
    alone = score.score(truth, score.read(ask.findings(place)[0]))
    norms = ask.learnt(*record.school(FOLDER, SCHOOL_HOMES, SCHOOL_DAYS, seed + 1))
    found, took = ask.findings(place, (*ask.COMMAND, "--norms", str(norms)))
    known = score.score(truth, score.read(found))
    return "\n\n".join(
        [
            f"{table.described(truth, took)} Seed {seed}. The makes' norms were learnt from {SCHOOL_HOMES} other homes over"
            f" {SCHOOL_DAYS} days, as many of them ill, by a seed of their own.",
            table.markdown(known),
            "The same without norms, as on a fleet of which too few homes let models learn:",
            table.by_cost(alone),
        ]
    )

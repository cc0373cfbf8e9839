"""How well the platform's own diagnosis does on simulated fleets whose faults are known.

`homes.py` and `fleet.py` draw homes of several makes and climates, most of them without a fault; `record.py` lets the simulator
live them and writes what their sensors said, and apart from it the truth; `ask.py` has the platform diagnose that, as a program of its
own; `score.py` compares, in the terms of Yuill and Braun (2013); `table.py` writes the page. Scorer, simulator and detectors share nothing
but the names of the contract. `python -m bench.diagnosis --help` says how to run it.
"""

from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / ".fleets"


def report(homes: int = 200, days: int = 28, seed: int | None = None) -> str:
    """Record a fleet unless it is there, have it diagnosed, and say how that went, as Markdown. Without a seed it is today's, so that rules
    that were tuned on one fleet are judged on another."""
    seed = datetime.now(UTC).toordinal() if seed is None else seed
    # the simulator and the table library are not for who only imports the scorer
    from bench.diagnosis import ask, record, score, table  # noqa: PLC0415

    place = record.fleet(FOLDER, homes, days, seed)
    truth = record.truth(place)
    found, took = ask.findings(place)
    return f"{table.described(truth, took)} Seed {seed}.\n\n" + table.markdown(score.score(truth, score.read(found)))

"""`python -m bench.diagnosis`: draw and record a fleet (once), have it diagnosed, print the score; `--list` shows every fault and alarm."""

import argparse
from pathlib import Path

import msgspec

from bench.diagnosis import FOLDER, SCHOOL_DAYS, ask, record, score, table

SIZES = {"small": (36, 28), "medium": (120, 42), "full": (300, 56)}
"""Homes and days by name."""


def main() -> None:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m bench.diagnosis", description=__doc__)
    parser.add_argument(
        "--size", choices=SIZES, default="small", help="homes x days: " + ", ".join(f"{n} {h}x{d}" for n, (h, d) in SIZES.items())
    )
    parser.add_argument("--homes", type=int, help="instead of --size")
    parser.add_argument("--days", type=int, help="instead of --size")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--step", type=int, default=record.STEP_S, help="seconds between two readings")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where recorded fleets are kept; each is made once")
    parser.add_argument("--fleet", type=Path, help="a fleet that was recorded earlier, by whatever simulator")
    parser.add_argument("--school", type=int, default=0, help="homes of another fleet of the same makes, which the platform learns from")
    parser.add_argument("--norms", type=Path, help="what it learnt, instead of --school")
    parser.add_argument("--again", action="store_true", help="score the findings of the last run again, without asking")
    parser.add_argument("--list", action="store_true", help="every fault with its outcome, and every false alarm")
    args = parser.parse_args()
    homes, days = SIZES[args.size]
    place = args.fleet or record.fleet(args.folder, args.homes or homes, args.days or days, args.seed, args.step)
    truth, took = record.truth(place), 0.0
    if args.again:
        found = [msgspec.json.decode(line) for line in (place / "findings.jsonl").read_bytes().splitlines()]
    else:
        norms = args.norms
        if args.school:
            norms = ask.learnt(*record.school(args.folder, args.school, SCHOOL_DAYS, args.seed + 1, args.step))
        found, took = ask.findings(place, (*ask.COMMAND, *(("--norms", str(norms)) if norms else ())))
    print(f"{place}\n{table.described(truth, took)}\n")
    result = score.score(truth, score.read(found))
    print(table.markdown(result))
    if args.list:
        print(listed(result))


def listed(result: score.Result) -> str:
    """Each fault and each false alarm in a line."""
    lines = [
        f"{s.outcome:13s} {s.truth['fault']:28s} {s.truth['equipment']:18s} {s.truth['sensors']:8s} severity {s.truth['severity']:<6g}"
        f" loss {s.truth['loss']:6.1%} {s.truth['season']} {f'{s.days:.1f} d' if s.days == s.days else '':8s} {s.named}"
        for s in sorted(result.faults, key=lambda s: (s.outcome, s.truth["fault"]))
    ]
    return "\n".join(lines + [f"false alarm   {f.fault:28s} {f.equipment}" for f in result.alarms])


if __name__ == "__main__":
    main()

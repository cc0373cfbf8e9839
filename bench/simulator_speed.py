"""The simulator: fourteen days of history for the demo's 25 homes, and what the live fleet costs at a poll every 10 s.

Other work on the machine slows both; `pure Python` beside them is a fixed loop timed in the same run, to compare by.
"""

import json
import resource
import sys
import time

import numpy as np
from lineset_simulator import Home, demo_fleet, history

DAY = 86400.0


def _pure_python() -> float:
    """CPU seconds of a fixed loop of a million sums: about 0.03 on a desk machine of 2024."""
    began, x = time.process_time(), 0.1
    for _ in range(1_000_000):
        x = x * 1.0001 + 0.1 if x < 50.0 else x * 0.5
    return time.process_time() - began


def measure(days: float = 14.0, polls: int = 60) -> dict[str, float]:
    """CPU seconds and rates; memory of the whole process at its end."""
    end = float(np.floor(time.time() / 300.0) * 300.0)
    pure = _pure_python()
    began, readings, lines, homes = time.process_time(), 0, 0, []
    for spec in demo_fleet():
        made = history(spec, end - days * DAY, end)
        for block in made:
            lines += len(block.times)
            readings += sum(values.size for values in block.points.values())
        homes.append(Home.restore(spec, made.state))
    past = time.process_time() - began
    frames, t, began = 0, end, time.process_time()
    for _ in range(polls):
        t += 10.0
        for home in homes:
            home.step_to(t)
            frames += len(home.frames(t))
    live = time.process_time() - began
    return {
        "history_cpu_s": past,
        "history_frames": lines,
        "history_readings": readings,
        "history_readings_per_s": readings / past,
        "live_cpu_percent_of_a_core": 100.0 * live / (polls * 10.0),
        "live_frames_per_cpu_s": frames / live,
        "home_steps_per_cpu_s": polls * len(homes) / live,
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "pure_python_s": (pure + _pure_python()) / 2.0,
    }


def main() -> None:
    """Measures once and prints; `--json` for one line of JSON."""
    found = {name: round(value, 3) for name, value in measure().items()}
    print(json.dumps(found) if "--json" in sys.argv else "\n".join(f"{name:30s} {value:>14,.3f}" for name, value in found.items()))


if __name__ == "__main__":
    main()

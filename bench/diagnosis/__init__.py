"""How well the platform's own diagnosis does on simulated fleets whose faults are known.

`homes.py` and `fleet.py` draw homes of several makes and climates, most of them without a fault; `record.py` lets the simulator
live them and writes what their sensors said, and apart from it the truth; `ask.py` has the platform diagnose that, as a program of its
own; `score.py` compares, in the terms of Yuill and Braun (2013); `table.py` writes the page. Scorer, simulator and detectors share nothing
but the names of the contract. `python -m bench.diagnosis --help` says how to run it.
"""

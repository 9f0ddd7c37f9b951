"""This project beside what one would use instead: the same passages, vectors and questions, a process for each.

`python -m benchmarks.peers run` measures, `report` makes tables and a plot of it; `make bench` does both. Given

- an index of this project: its passages and their vectors, the material of everyone (`material.py`),
- an engine: how it is filled, opened and asked (`engines/`),
- a stage: what one process does with one engine (`worker.py`, `measuring.py`),

there is one JSON file of a run, to which parts are added (`runs.py`), and what is made of it (`report.py`, `plot.py`).
Only `material.py`, `quality.py` and `engines/own.py` know this project; all else also runs where it is not installed.
"""

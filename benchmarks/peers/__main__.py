"""The harness's commands.

    python -m benchmarks.peers run --index DIR --topics FILE --qrels FILE [--engines "own lancedb"] [--seconds 3]
    python -m benchmarks.peers report [--readme README.md] [--details docs/experiments/performance.md]

`run` measures engines one after the other, each stage in a process of its own, and writes what it has after each.
Engines that are named are measured (again); without names, those that the run has not yet. What was filled stays, until
`--rebuild`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.engines import NAMES, engine
from benchmarks.peers.material import Material, prepare
from benchmarks.peers.measuring import size_mb
from benchmarks.peers.runs import Run, machine, now
from kb.reporting.telemetry import OFF_SWITCHES

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "bench"
RUN = Path(__file__).with_name("run.json")
PEERS_PYTHON = ROOT / "build" / "peers" / "bin" / "python"
COLD_STARTS = 3
BUILT = "built.json"


def environment(name: str) -> dict[str, str]:
    """Of an engine's processes: nothing is fetched or reported, and each takes the threads it takes by itself."""
    limits = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    kept = {name: value for name, value in os.environ.items() if name not in limits}
    quiet = {
        "HF_HUB_OFFLINE": "1",
        "TQDM_DISABLE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    return kept | quiet | OFF_SWITCHES | engine(name).variables | {"PYTHONPATH": str(ROOT)}


def command(name: str, stage: str, folder: Path, material: Material) -> list[str]:
    """Of the process of a stage, in the environment of its engine."""
    python = sys.executable if engine(name).own_environment else str(PEERS_PYTHON)
    worker = [python, "-m", "benchmarks.peers.worker", stage, name]
    return [*worker, str(folder), str(material.folder)]


def stage(name: str, arguments: list[str]) -> dict[str, Any]:
    """What the process of a stage found."""
    done = subprocess.run(
        arguments, cwd=ROOT, env=environment(name), stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def cold_start(name: str, arguments: list[str]) -> float:
    """Seconds from the start of a process to its first answer."""
    begun = time.perf_counter()
    with subprocess.Popen(
        arguments, cwd=ROOT, env=environment(name), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "answered":
                took = time.perf_counter() - begun
                break
        else:
            raise SystemExit(f"{' '.join(arguments)}: ended without an answer")
    return took


def measure(
    name: str, material: Material, work: Path, qrels: Path, seconds: float
) -> dict[str, Any]:
    """Everything of one engine; it is filled where it has not been with this material."""
    from benchmarks.peers.quality import quality  # noqa: PLC0415  (takes a second)

    asked, folder = engine(name), work / "engines" / name
    note = work / "engines" / f"{name}.{BUILT}"
    built = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    of = material.about["generation" if asked.own_environment else "digest"]
    if built.get("of") != of:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        built = {"of": of}
        built |= stage(name, command(name, "build", folder, material))
        note.write_text(json.dumps(built), encoding="utf-8")
    found = stage(name, [*command(name, "measure", folder, material), str(seconds)])
    first = command(name, "first", folder, material)
    return {
        "title": asked.title,
        "kind": asked.kind,
        "settings": asked.settings,
        "versions": found["versions"],
        "measured": now(),
        "seconds_a_figure": seconds,
        "build": {key: built[key] for key in ("seconds", "passages", "passages_per_second")},
        "quality": quality(found["run"], material, qrels),
        "figures": found["figures"],
        "disk_mb": size_mb(folder),
        "cold_s": statistics.median(cold_start(name, first) for _ in range(COLD_STARTS)),
    }


def run(options: argparse.Namespace) -> int:
    """Measure and write."""
    from kb.evaluation.measures import read_topics  # noqa: PLC0415

    topics = read_topics(options.topics, options.field)
    material = prepare(options.index, topics, options.work / "material")
    kept = Run.load(options.run)
    if kept.material and kept.material != _public(material.about):
        raise SystemExit(
            f"{options.run} is of other passages or questions. Name another file with --run, or delete it."
        )
    kept.machine, kept.material = machine(), _public(material.about)
    named = options.engines.split()
    for name in named or [name for name in NAMES if name not in kept.engines]:
        if name not in NAMES:
            raise SystemExit(f"There is no engine {name!r}; there are {', '.join(NAMES)}.")
        if options.rebuild:
            (options.work / "engines" / f"{name}.{BUILT}").unlink(missing_ok=True)
        print(f"{now()} {name} ...", file=sys.stderr, flush=True)
        kept.engines[name] = measure(name, material, options.work, options.qrels, options.seconds)
        kept.save()
    return 0


def report(options: argparse.Namespace) -> int:
    """Print the tables; put them into documents where these are named."""
    from benchmarks.peers import report as tables  # noqa: PLC0415

    measured = Run.load(options.run)
    print(tables.details(measured))
    if options.readme is not None:
        tables.put(options.readme, tables.summary(measured))
    if options.details is not None:
        tables.put(options.details, tables.details(measured))
    if options.plot is not None:
        from benchmarks.peers.plot import latency_against_quality  # noqa: PLC0415

        latency_against_quality(measured, options.plot)
    return 0


def _public(about: dict[str, Any]) -> dict[str, Any]:
    """What of the material stands in a run: no paths, and not which generation it was."""
    return {
        key: value
        for key, value in about.items()
        if key not in ("index", "corpora", "generation", "digest")
    }


def main() -> int:
    """Run or report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("--run", type=Path, default=RUN, help="the JSON file of the run")
    commands = parser.add_subparsers(required=True)
    measured = commands.add_parser("run", help="measure")
    measured.add_argument(
        "--index", type=Path, required=True, help="this project's, of the library"
    )
    measured.add_argument("--topics", type=Path, required=True)
    measured.add_argument("--qrels", type=Path, required=True)
    measured.add_argument("--field", default="summary")
    measured.add_argument("--engines", default="", help=f"of {' '.join(NAMES)}")
    measured.add_argument("--seconds", type=float, default=3.0, help="of each figure")
    measured.add_argument("--rebuild", action="store_true", help="fill the engines anew")
    measured.add_argument("--work", type=Path, default=WORK, help="where they are filled")
    measured.set_defaults(do=run)
    shown = commands.add_parser("report", help="tables and a plot")
    shown.add_argument("--readme", type=Path, help="put the short table into this document")
    shown.add_argument("--details", type=Path, help="put all tables into this document")
    shown.add_argument("--plot", type=Path, help="draw latency against quality, as SVG")
    shown.set_defaults(do=report)
    options = parser.parse_args()
    done: int = options.do(options)
    return done


if __name__ == "__main__":
    sys.exit(main())

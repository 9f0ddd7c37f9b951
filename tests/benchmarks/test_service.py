"""The short forms of benchmarks/http_rate.py and benchmarks/cold_start.py, without their figures: both end well."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from support.places import ROOT


def _run(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr  # 1: too slow, which a busy machine may be
    assert not done.stderr
    return done.stdout


def test_eight_clients_get_answers_without_an_error(index_path: Path, tmp_path: Path) -> None:
    topics = tmp_path / "topics.jsonl"
    topics.write_text(json.dumps({"id": "1", "text": "why do my legs jerk when I fall asleep"}))
    options = ["--topics", str(topics), "--workers", "1", "--at-once", "2", "--seconds", "0.3"]
    shown = _run("http_rate.py", "--index", str(index_path), *options)
    cells = [cell.strip() for cell in shown.splitlines()[-1].strip("|").split("|")]
    assert cells[:2] == ["1", "2"]
    assert int(cells[2]) > 0
    assert cells[6] == "0"


def test_both_commands_answer_from_nothing(index_path: Path) -> None:
    shown = _run("cold_start.py", "--index", str(index_path), "--rounds", "1")
    assert len(re.findall(r"\d\.\d\d s", shown)) == 4

"""Several workers behind one address, as `kb serve --workers` starts them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from uvicorn.config import STARTUP_FAILURE

from kb_cli.main import run
from search_api.service.processes import worker_app
from search_api.state.settings import load_settings
from support.waiting import until


@contextmanager
def workers(index: Path, temporary: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    script = "import sys; from kb_cli.main import run; sys.exit(run(sys.argv[1:]))"
    flags = ["--workers", "2", "--port", "0", "--poll-interval-s", "0.1", "--log-format", "json"]
    log = temporary / "stderr"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-c", script, "serve", "--index", str(index), *flags],
            stderr=stderr,
            text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        ) as process,
    ):
        try:
            until(
                lambda: process.poll() is not None or "Serving on" in log.read_text(), within_s=120
            )
            found = re.search(r"Serving on (\S+) with 2 workers", log.read_text())
            assert found, log.read_text()
            yield process, found[1]
        finally:
            process.terminate()
            process.wait(60)


def get(address: str) -> str:
    with urlopen(address, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def counted(address: str) -> float:
    found = re.findall(r"^kb_questions_total.* (\S+)$", get(f"{address}/metrics"), re.MULTILINE)
    return sum(map(float, found))


def pids(address: str) -> set[int]:
    found = re.findall(r'^kb_worker_resident_bytes{pid="(\d+)"}', get(f"{address}/metrics"), re.M)
    return set(map(int, found))


def test_two_workers_answer_count_together_are_replaced_and_stop_in_good_order(
    index_path: Path, tmp_path: Path
) -> None:
    ask = "/api/v1/search?q=pterodactyl"
    with workers(index_path, tmp_path) as (process, address):
        until(lambda: len(pids(address)) == 2, within_s=120)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: json.loads(get(address + ask)), range(20)))
        assert {answer["generation"] for answer in found} == {
            (index_path / "CURRENT").read_text().strip()
        }
        assert counted(address) == 20
        victim = min(before := pids(address))
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(pids(address) - {victim}) == 2, within_s=120)
        assert before - {victim} < pids(address)
        get(address + ask)
        assert counted(address) == 21, "what a dead worker has counted stays"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    log = (tmp_path / "stderr").read_text()
    assert f"worker {victim} ended with exit code -9" in log
    assert "pterodactyl" not in log
    assert "Traceback" not in log
    assert list(tmp_path.glob("kb-metrics*")) == [], "no counters are left"


def test_a_worker_does_not_outlive_its_supervisor(index_path: Path, tmp_path: Path) -> None:
    with workers(index_path, tmp_path) as (process, address):
        until(lambda: len(pids(address)) == 2, within_s=120)
        left = pids(address)
        process.kill()
        until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in left), within_s=120)


def test_why_a_worker_cannot_start_is_in_the_log_without_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("quetzalcoatlus")

    monkeypatch.setattr("search_api.service.processes.create_app", fail)
    with pytest.raises(SystemExit) as ended:
        worker_app(load_settings(index=tmp_path, log_format="json"))
    assert ended.value.code == STARTUP_FAILURE
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"].startswith("a worker cannot start: RuntimeError at ")
    assert "quetzalcoatlus" not in line


def test_what_a_setting_asks_for_and_is_not_there_is_said_before_anything_starts(
    index_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    flags = ["--port", "0", "--workers", "2", "--query-log", str(tmp_path / "file" / "log")]
    assert run(["serve", "--index", str(index_path), *flags]) != 0
    assert "KB_QUERY_LOG" in capsys.readouterr().err


def test_each_setting_is_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    from search_api.state.settings import Settings

    assert run(["serve", "--help"]) == 0
    told = capsys.readouterr().out
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')} " in told
        assert f"KB_{name.upper()}" in told

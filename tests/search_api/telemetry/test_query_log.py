from __future__ import annotations

import json
import stat
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.schema.errors import InvalidRequest
from kb.schema.results import SearchResponse
from search_api.telemetry.query_log import QueryLog


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def answer(question: str) -> SearchResponse:
    return SearchResponse(question, "none", (), "20260301T000000Z-0", {"total": 1.0})


def lines(folder: Path) -> dict[str, list[dict[str, object]]]:
    return {
        file.name: [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in sorted(folder.iterdir())
    }


def test_a_line_says_what_was_asked_and_nothing_of_who_asked(tmp_path: Path) -> None:
    log = QueryLog(tmp_path / "log", 30, Clock())
    assert log.record(answer('"why"\nlegs – 足'))
    assert lines(tmp_path / "log") == {
        "questions-2026-03-01.jsonl": [
            {
                "hour": "2026-03-01T23Z",
                "question": '"why"\nlegs – 足',
                "answered": "none",
                "results": [],
                "generation": "20260301T000000Z-0",
            }
        ]
    }


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    QueryLog(tmp_path / "log", 30).record(answer("a"))
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "log").iterdir()} == {0o600}


def test_what_is_older_than_its_days_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    clock = Clock()
    tmp_path.chmod(0o700)
    log = QueryLog(tmp_path, 2, clock)
    (tmp_path / "questions.jsonl").write_text("mine")
    (tmp_path / "questions-2020-01-01.jsonl.bak").write_text("mine")
    for _ in range(5):
        log.record(answer("a"))
        clock.now += timedelta(days=1)
    assert log.prune() == 4
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "questions-2020-01-01.jsonl.bak",
        "questions-2026-03-05.jsonl",
        "questions.jsonl",
    ]
    assert log.prune() == 0


@pytest.mark.parametrize("days", [1, 2, 30])
def test_no_question_is_kept_longer_than_its_days(tmp_path: Path, days: int) -> None:
    clock = Clock(datetime(2026, 3, 1, tzinfo=UTC))
    log = QueryLog(tmp_path / "log", days, clock)
    log.record(answer("a"))
    clock.now += timedelta(days=days, seconds=-1)
    assert log.prune() == 0
    clock.now += timedelta(seconds=1)
    assert log.prune() == 1


def test_a_folder_that_others_may_look_into_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log").chmod(0o750)
    with pytest.raises(InvalidRequest, match=r"log': .*0750.*chmod 700"):
        QueryLog(tmp_path / "log", 30)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o750


def test_lines_of_many_threads_do_not_mix(tmp_path: Path) -> None:
    logs = [QueryLog(tmp_path / "log", 30, Clock()) for _ in range(4)]

    def write(number: int) -> None:
        for _ in range(50):
            logs[number].record(answer(f"{number}" * 3000))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (found,) = lines(tmp_path / "log").values()
    assert sorted(line["question"] for line in found) == sorted(
        f"{number}" * 3000 for number in range(4) for _ in range(50)
    )


def test_what_cannot_be_kept_is_told_without_the_question(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = QueryLog(tmp_path / "log", 30, Clock())
    (tmp_path / "log").rmdir()
    assert not log.record(answer("zebrafinch"))
    assert "No such file" in caplog.text
    assert "zebrafinch" not in caplog.text


def test_a_folder_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequest, match=r"KB_QUERY_LOG is '.*file/log': .*Not a directory"):
        QueryLog(tmp_path / "file" / "log", 30)

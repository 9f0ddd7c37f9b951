"""kb.tasks.store"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from kb.schema.service import ArticleChange, Report, Summary
from kb.tasks.messages import PutRequest, SentFile
from kb.tasks.store import TASK_LIFETIME, TaskStore
from kb.tasks.task import TASK_ID, TasksFull, new_task_id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TaskStore]:
    opened = TaskStore(tmp_path / "index")
    yield opened
    opened.close()


def add(store: TaskStore, key: str | None = None, owner: str = "me") -> str:
    request = PutRequest(SentFile("article", "ab"), ".md", if_match=("cd",))
    task = store.add(
        new_task_id(), request, owner=owner, idempotency_key=key, fingerprint="f", subject="é"
    )
    return task.id


REPORT = Report((ArticleChange("é", "added"),), 0, (), (), Summary(1, 0, 0, 0, 0))


def test_a_task_is_read_back_by_another_process_as_it_was_left(
    store: TaskStore, tmp_path: Path
) -> None:
    first, second = add(store), add(store)
    store.progress([first], "corpus", 3, 7)
    script = (
        "import sys; from pathlib import Path; from kb.tasks.store import TaskStore;"
        "s = TaskStore(Path(sys.argv[1])); t, other = s.in_state('queued');"
        "print(t.id, t.state, t.attempts, t.stage, t.steps_done, t.steps_total, t.request.if_match[0], other.id);"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "index")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [first, "queued", "1", "corpus", "3", "7", "cd", second]
    task = store.accept(first, REPORT, "ef")
    assert (task.state, task.report, task.digest, task.attempts) == ("accepted", REPORT, "ef", 0)
    assert (task.request, task.view().report, task.view().article_id) == (None, REPORT, "é")
    store.finish(first, error="no")
    store.accept(second, REPORT)
    store.finish(second, report=replace(REPORT, generation="g"))
    latest = store.latest(5)
    assert [(t.state, t.has_ended) for t in latest] == [("done", True), ("failed", True)]
    assert [task.report and task.report.generation for task in latest] == ["g", None]
    assert not store.has_work()
    assert store.counts() == {"queued": 0, "accepted": 0, "done": 1, "failed": 1}


def test_every_change_makes_the_version_grow(store: TaskStore) -> None:
    task_id = add(store)
    seen = [0]
    for change in (
        lambda: store.begin([task_id]),
        lambda: store.progress([task_id], "read"),
        lambda: store.accept(task_id, REPORT),
        lambda: store.finish(task_id),
    ):
        change()
        task = store.get(task_id)
        assert task is not None
        seen.append(task.version)
    assert seen == sorted(set(seen))


def test_a_task_is_found_by_its_id_and_else_by_the_key_of_its_owner(store: TaskStore) -> None:
    first, second = add(store, "k"), add(store, "other")
    mine = store.find("unknown", "me", "k")
    assert mine is not None and mine.id == first
    both = store.find(second, "me", "k")
    assert both is not None and both.id == second
    assert store.find("unknown", "another", "k") is None
    assert store.find("unknown", "me", None) is None
    with pytest.raises(TasksFull, match="2 tasks wait"):
        store.check_room("me", "new", 2)
    store.check_room("me", "k", 2)
    store.check_room("me", "new", 3)
    store.remove(first)
    assert store.find("unknown", "me", "k") is None
    assert store.latest(5) == store.in_state("queued") == [both]


def test_tasks_of_the_version_before_go_on_and_its_refusals_are_none(tmp_path: Path) -> None:
    folder = tmp_path / "index" / "tasks"
    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "tasks.sqlite")
    connection.executescript(
        "CREATE TABLE tasks (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, "
        "state TEXT NOT NULL, subject TEXT NOT NULL, wanted TEXT NOT NULL, owner TEXT NOT NULL, idempotency_key TEXT, "
        "fingerprint TEXT NOT NULL, created TEXT NOT NULL, ended TEXT, attempts INTEGER NOT NULL DEFAULT 0, "
        "stage TEXT NOT NULL DEFAULT '', steps_done INTEGER NOT NULL DEFAULT 0, steps_total INTEGER, report TEXT, "
        "refusal TEXT, error TEXT, version INTEGER NOT NULL DEFAULT 0)"
    )
    report = '{"articles": [], "left_out": 0, "failures": [], "passed_over": [], "digest": "x", "summary": '
    report += '{"added": 1, "changed": 0, "removed": 0, "skipped": 0, "failed": 0}}'
    connection.executemany(
        "INSERT INTO tasks (id, kind, state, subject, wanted, owner, fingerprint, created, report, refusal) "
        "VALUES (?, 'put', ?, 'a', '{\"suffix\": \".md\"}', 'me', 'f', '2026-01-01', ?, ?)",
        [
            ("went-in", "accepted", report, None),
            ("refused", "failed", None, "precondition"),
            ("waits", "queued", None, None),
        ],
    )
    connection.commit()
    connection.close()
    for _ in range(2):
        store = TaskStore(tmp_path / "index")
        waits, task = store.latest(5)
        assert (waits.id, waits.state) == ("waits", "queued")
        assert waits.request == PutRequest(SentFile("article", sha256(b"").hexdigest()), ".md")
        assert (task.id, task.state, task.request) == ("went-in", "accepted", None)
        assert task.report is not None and task.report.summary.added == 1
        store.close()
    store = TaskStore(tmp_path / "index")
    add(store)
    assert len(store.latest(5)) == 3
    store.close()


def test_several_can_open_the_tasks_at_once(tmp_path: Path) -> None:
    failed: list[Exception] = []

    def open_and_close() -> None:
        try:
            TaskStore(tmp_path / "index").close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=open_and_close) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_ended_tasks_are_kept_for_a_while_and_work_is_never_dropped(store: TaskStore) -> None:
    waiting, *ended = (add(store) for _ in range(6))
    for task_id in ended:
        store.finish(task_id)
    store.sweep(kept_at_most=3)
    assert [task.id for task in store.latest(10)] == [*reversed(ended[2:]), waiting]
    store.sweep(kept=-TASK_LIFETIME)
    assert [task.id for task in store.latest(10)] == [waiting]


def test_what_came_in_for_no_task_is_swept_once_it_is_old(store: TaskStore) -> None:
    waiting = add(store)
    for name in (waiting, "forgotten", "coming-in"):
        store.received(name).mkdir()
    for name in (waiting, "forgotten"):
        os.utime(store.received(name), (0, 0))
    store.sweep()
    assert {path.name for path in (store.folder / "received").iterdir()} == {waiting, "coming-in"}


def test_one_works_at_a_time_and_a_worker_that_is_killed_makes_room(
    store: TaskStore, tmp_path: Path
) -> None:
    script = (
        "import sys, time; from pathlib import Path; from kb.tasks.store import TaskStore\n"
        "with TaskStore(Path(sys.argv[1])).working() as ours:\n"
        "    print(ours, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "index")], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert store.is_worked_at()
        with store.working() as is_ours:
            assert not is_ours
        other.kill()
    assert not store.is_worked_at()
    with store.working() as is_ours:
        assert is_ours


def test_one_of_several_services_keeps_a_worker_running(store: TaskStore, tmp_path: Path) -> None:
    other = TaskStore(tmp_path / "index")
    turn = store.become_starter()
    assert turn is not None
    assert other.become_starter() is None
    os.close(turn)
    turn = other.become_starter()
    assert turn is not None
    os.close(turn)
    other.close()


def test_ids_cannot_be_paths_or_guessed() -> None:
    found = {new_task_id() for _ in range(100)}
    assert len(found) == 100
    assert all(TASK_ID.fullmatch(each) for each in found)
    assert not TASK_ID.fullmatch("../../etc/passwd")

"""kb.tasks"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import tasks
from kb.tasks import TASK_ID, TaskStore, new_task_id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TaskStore]:
    opened = TaskStore(tmp_path / "index")
    yield opened
    opened.close()


def add(store: TaskStore, key: str | None = None, owner: str = "me") -> str:
    task, _ = store.add(
        new_task_id(), "put", {"suffix": ".md"}, owner=owner, idempotency_key=key, fingerprint="f"
    )
    return task.id


def test_a_task_is_read_back_by_another_process_as_it_was_left(
    store: TaskStore, tmp_path: Path
) -> None:
    first, second = add(store), add(store)
    store.begin([first])
    store.progress([first], "corpus", 3, 7)
    script = (
        "import sys; from pathlib import Path; from kb.tasks import TaskStore;"
        "s = TaskStore(Path(sys.argv[1])); t = s.next_queued();"
        "print(t.id, t.state, t.attempts, t.stage, t.steps_done, t.steps_total);"
        "s.accept(t.id, {'summary': 1}); print(s.next_queued().id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "index")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [first, "queued", "1", "corpus", "3", "7", second]
    task = store.get(first)
    assert task is not None
    assert (task.state, task.report, task.attempts) == ("accepted", {"summary": 1}, 0)
    store.finish(first, error="no")
    store.finish(second, report={"summary": 2})
    assert [(t.state, t.has_ended) for t in store.latest(5)] == [("done", True), ("failed", True)]
    assert not store.has_work()
    assert store.counts() == {"queued": 0, "accepted": 0, "done": 1, "failed": 1}


def test_every_change_makes_the_version_grow(store: TaskStore) -> None:
    task_id = add(store)
    seen = [0]
    for change in (
        lambda: store.begin([task_id]),
        lambda: store.progress([task_id], "read"),
        lambda: store.accept(task_id, {}),
        lambda: store.finish(task_id),
    ):
        change()
        task = store.get(task_id)
        assert task is not None
        seen.append(task.version)
    assert seen == sorted(set(seen))


def test_the_same_key_of_the_same_owner_is_the_same_task_however_many_ask_at_once(
    store: TaskStore, tmp_path: Path
) -> None:
    found: list[tuple[str, bool]] = []

    def ask() -> None:
        own = TaskStore(tmp_path / "index")
        for number in range(10):
            task, is_new = own.add(
                new_task_id(), "put", {}, owner="me", idempotency_key=str(number)
            )
            found.append((task.id, is_new))
        own.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert len({task_id for task_id, _ in found}) == 10
    assert sum(is_new for _, is_new in found) == 10
    assert add(store, "0", owner="another") not in {task_id for task_id, _ in found}
    assert len({add(store), add(store)}) == 2  # without a key, each is one of its own


def test_ended_tasks_are_kept_for_a_while_and_work_is_never_dropped(
    store: TaskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, *ended = (add(store) for _ in range(6))
    for task_id in ended:
        store.finish(task_id)
    monkeypatch.setattr(tasks, "KEPT_AT_MOST", 3)
    store.sweep()
    assert [task.id for task in store.latest(10)] == [*reversed(ended[2:]), waiting]
    monkeypatch.setattr(tasks, "KEPT", -tasks.KEPT)
    store.sweep()
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
        "import sys, time; from pathlib import Path; from kb.tasks import TaskStore\n"
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


def test_ids_cannot_be_paths_or_guessed() -> None:
    found = {new_task_id() for _ in range(100)}
    assert len(found) == 100
    assert all(TASK_ID.fullmatch(each) for each in found)
    assert not TASK_ID.fullmatch("../../etc/passwd")

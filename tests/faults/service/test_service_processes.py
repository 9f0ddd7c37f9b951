"""The service as processes: killed in the middle of its work, and several of them over one index"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexer.generations.lock import writer_lock
from kb.tasks.store import TaskStore
from support.library import Library, held, leftovers
from support.processes import Service, running
from support.service import API, bearer, ended
from support.waiting import until


def test_a_service_that_is_killed_in_the_middle_of_its_work_goes_on_after_its_restart(
    shelf: Library,
) -> None:
    headers = bearer(shelf, "articles", "admin")
    expected = dict(shelf.texts)
    with running(shelf, headers) as service:
        with writer_lock(shelf.index):  # the worker waits for this, in the middle of its tasks
            tasks = [service.put(f"news-{n}", f"tea{n}").json()["id"] for n in range(3)]
            tasks.append(
                service.client.delete(f"{API}/articles/article-1").raise_for_status().json()["id"]
            )
            service.end(signal.SIGKILL)
        store = TaskStore(shelf.index)
        try:
            assert {task.state for task in store.latest(10)} == {"accepted"}
        finally:
            store.close()
    expected |= {f"news-{n}": f"tea{n}" for n in range(3)}
    del expected["article-1"]
    on_disk = {path.stem for path in shelf.corpus.glob("*.md")}
    assert on_disk == expected.keys()
    with running(shelf, headers) as service:
        assert {ended(service.client, task_id)["state"] for task_id in tasks} == {"done"}
        assert held(shelf.index) == expected
        status = service.client.get(f"{API}/status").raise_for_status().json()
        assert status["tasks"] == {"queued": 0, "accepted": 0, "done": 4, "failed": 0}
    assert leftovers(shelf.index) == []


def workers(library: Library) -> dict[int, int]:
    """The processes that would change that library for a service, each with the process that started it."""
    found = {}
    for folder in Path("/proc").glob("[1-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            index = str(library.index).encode()
            if b"indexer.tasks.worker" in command and index in command:
                found[int(folder.name)] = int(command[command.index(index) + 1])
    return found


def who_works(library: Library, *, but: int = 0, within_s: float = 30) -> tuple[int, int]:
    """The process that works at the tasks, once it is another than `but`, and the process that started it."""

    def another() -> tuple[int, int] | None:
        found = (each for each in workers(library).items() if each[0] != but)
        return next((each for each in found if Path(f"/proc/{each[1]}").exists()), None)

    return until(another, within_s)


def test_when_the_process_that_works_is_killed_another_takes_over_what_it_was_doing(
    shelf: Library,
) -> None:
    headers = bearer(shelf, "articles", "admin")
    with running(shelf, headers, workers=2) as service:
        with writer_lock(shelf.index):  # what works waits for this, in the middle of its task
            task_id = service.put("news", "tea").json()["id"]
            first, _ = who_works(shelf)
            assert len(workers(shelf)) == 1  # one for all processes of the service
            os.kill(first, signal.SIGKILL)
            second, parent = who_works(shelf, but=first)
            os.kill(parent, signal.SIGKILL)  # it answers; with it goes the one that it had started
            third, other = who_works(shelf, but=second)
            assert other != parent
            assert service.client.get(f"{API}/tasks/{task_id}").json()["state"] == "accepted"
        assert ended(service.client, task_id)["state"] == "done"
        assert who_works(shelf) == (third, other)
    assert held(shelf.index) == shelf.texts | {"news": "tea"}


def test_two_services_over_one_index_share_the_work_and_lose_none(shelf: Library) -> None:
    headers = bearer(shelf, "articles")
    with running(shelf, headers) as one, running(shelf, headers) as other:
        tasks: list[str] = []

        def write(service: Service, mark: str) -> None:
            for number in range(5):
                tasks.append(service.put(f"{mark}-{number}", f"{mark}{number}").json()["id"])

        threads = [
            threading.Thread(target=write, args=arguments)
            for arguments in ((one, "one"), (other, "other"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tasks) == 10
        # Each can be asked of either, and the one that goes takes no work with it.
        one.end(signal.SIGTERM)
        assert {ended(other.client, task_id)["state"] for task_id in tasks} == {"done"}
    wanted = {f"{mark}-{n}": f"{mark}{n}" for mark in ("one", "other") for n in range(5)}
    assert held(shelf.index) == shelf.texts | wanted


def test_changes_are_accepted_while_the_worker_is_killed_again_and_again(shelf: Library) -> None:
    headers = bearer(shelf, "articles", "admin")
    with running(shelf, headers) as service:
        first, _ = who_works(shelf)  # since there is a key, nobody waits for it to start
        told: list[Any] = []

        def write() -> None:
            for number in range(12):
                told.append(service.put(f"news-{number}", f"tea{number}"))

        writing = threading.Thread(target=write)
        writing.start()
        killed = [first]
        for count in (3, 6):
            until(lambda count=count: len(told) >= count)  # type: ignore[misc]
            os.kill(killed[-1], signal.SIGKILL)
            killed.append(who_works(shelf, but=killed[-1])[0])
        writing.join()
        assert len(set(killed)) == 3
        assert [response.status_code for response in told] == [202] * 12
        assert {ended(service.client, r.json()["id"])["state"] for r in told} == {"done"}
    assert held(shelf.index) == shelf.texts | {f"news-{n}": f"tea{n}" for n in range(12)}


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def builders(library: Library) -> list[int]:
    """The processes that build for that library's tasks."""
    found = []
    for folder in Path("/proc").glob("[1-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if b"indexer.tasks.builder" in command and str(library.index).encode() in command:
                found.append(int(folder.name))
    return found


def test_the_index_is_built_at_a_lower_priority_than_changes_are_taken_in(shelf: Library) -> None:
    with running(shelf, bearer(shelf, "articles")) as service:
        with writer_lock(shelf.index):
            task_id = service.put("news", "tea").json()["id"]
            until(lambda: builders(shelf) and niceness(builders(shelf)[0]) != niceness(0))
            (builder,) = builders(shelf)
            assert niceness(builder) == min(19, niceness(0) + 10)
            assert niceness(who_works(shelf)[0]) == niceness(0)
            os.kill(builder, signal.SIGKILL)
        assert ended(service.client, task_id)["state"] == "done"
    assert held(shelf.index)["news"] == "tea"
    assert builders(shelf) == []


def test_a_service_that_only_answers_makes_nothing_in_its_index(shelf: Library) -> None:
    before = sorted(path.name for path in shelf.index.iterdir())
    with running(shelf, {}) as service:
        assert service.client.get(f"{API}/search", params={"q": "tea"}).status_code == 200
        assert service.client.get(f"{API}/tasks").status_code == 403
    assert sorted(path.name for path in shelf.index.iterdir()) == before

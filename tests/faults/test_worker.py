"""indexer.worker: what an attempt that was cut off has left, the next one takes for what it is"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from harness.library import Library, held, markdown
from harness.service import API, MARKDOWN, serving

from indexer import worker
from indexer.editing import put, remove
from indexer.worker import work
from kb.tasks import Kind, Task, TaskStore, new_task_id


@pytest.fixture
def shelf(library: Library) -> Library:
    library.put("article-0", "salted")
    library.build()
    return library


@pytest.fixture
def store(shelf: Library) -> Iterator[TaskStore]:
    opened = TaskStore(shelf.index)
    yield opened
    opened.close()


def add(store: TaskStore, kind: Kind, article_id: str, content: str = "", **wanted: Any) -> str:
    task_id = new_task_id()
    store.received(task_id).mkdir()
    (store.received(task_id) / "0").write_text(content)
    store.add(task_id, kind, {"suffix": ".md", **wanted}, subject=article_id)
    return task_id


def outcome(store: TaskStore, shelf: Library, task_id: str) -> Task:
    assert work(shelf.index, idle_s=0)
    task = store.get(task_id)
    assert task is not None
    return task


def test_an_article_that_the_corpus_got_before_the_cut_is_not_refused_as_there_already(
    store: TaskStore, shelf: Library
) -> None:
    content = markdown("news", "tea")
    task_id = add(store, "put", "news", content, if_none_match=True)
    store.begin([task_id])
    put([shelf.corpus], "news", ".md", content.encode())
    assert outcome(store, shelf, task_id).state == "done"
    assert held(shelf.index)["news"] == "tea"


def test_one_that_somebody_else_has_changed_since_the_cut_is_refused(
    store: TaskStore, shelf: Library
) -> None:
    before = put([shelf.corpus], "news", ".md", markdown("news", "tea").encode()).digest
    task_id = add(store, "put", "news", markdown("news", "milk"), if_match=[before])
    store.begin([task_id])
    put([shelf.corpus], "news", ".md", markdown("news", "honey").encode())
    task = outcome(store, shelf, task_id)
    assert (task.state, task.refusal) == ("failed", "precondition")
    assert (shelf.corpus / "news.md").read_text() == markdown("news", "honey")


def test_one_that_was_deleted_before_the_cut_is_not_missed(
    store: TaskStore, shelf: Library
) -> None:
    task_id = add(store, "delete", "article-1")
    store.begin([task_id])
    remove([shelf.corpus], ["article-1"])
    assert outcome(store, shelf, task_id).state == "done"
    assert "article-1" not in held(shelf.index)
    again = outcome(store, shelf, add(store, "delete", "article-1"))
    assert (again.state, again.refusal) == ("failed", "missing")


def test_half_an_upload_is_taken_in_anew(store: TaskStore, shelf: Library) -> None:
    limits = {"unpacked_bytes": 10_000, "files": 10}
    content = markdown("news", "tea")
    task_id = add(store, "upload", "", content, files=["news.md"], limits=limits)
    store.begin([task_id])
    left = store.received(task_id) / "unpacked" / "0"
    left.mkdir(parents=True)
    (left / "news.md").write_text("half")
    task = outcome(store, shelf, task_id)
    assert task.report is not None
    assert task.report["summary"]["added"] == 1
    assert held(shelf.index)["news"] == "tea"


@pytest.mark.parametrize("state", ["queued", "accepted"])
def test_a_task_that_no_worker_survives_does_not_stop_the_others(
    store: TaskStore, shelf: Library, state: str
) -> None:
    deadly = add(store, "put", "deadly", markdown("deadly", "tea"))
    if state == "accepted":
        store.accept(deadly, {})
    for _ in range(worker.ATTEMPTS):
        store.begin([deadly])
    good = add(store, "put", "good", markdown("good", "tea"))
    assert outcome(store, shelf, good).state == "done"
    task = store.get(deadly)
    assert task is not None
    assert task.state == "failed"
    assert str(worker.ATTEMPTS) in str(task.error)


def test_a_build_that_fails_says_that_the_corpus_has_it(
    store: TaskStore, shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(worker, "build", full)
    task = outcome(store, shelf, add(store, "put", "news", markdown("news", "tea")))
    assert task.state == "failed"
    assert task.error == (
        "The corpus has it, the index does not: The disk failed: No space left on device."
    )
    assert (shelf.corpus / "news.md").exists()


def test_only_one_works(store: TaskStore, shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_WAIT_FOR_LOCK_S", 0.0)
    with store.working() as is_ours:
        assert is_ours
        assert not work(shelf.index, idle_s=0)


def test_building_outlasts_a_failure_of_the_tasks_own_file(
    store: TaskStore, shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"in_state": TaskStore.in_state, "begin": TaskStore.begin, "finish": TaskStore.finish}
    failing = ["in_state", "begin", "finish"]

    def once_failing(name: str) -> Any:
        def call(self: TaskStore, *given: Any, **named: Any) -> Any:
            # The corpus's part of the task has been done: what is left is the builder's.
            if name in failing and self.in_state_now("accepted"):  # type: ignore[attr-defined]
                failing.remove(name)
                raise sqlite3.OperationalError("database or disk is full")
            return calls[name](self, *given, **named)

        return call

    monkeypatch.setattr(TaskStore, "in_state_now", calls["in_state"], raising=False)
    for name in calls:
        monkeypatch.setattr(TaskStore, name, once_failing(name))
    monkeypatch.setattr(worker, "_AFTER_FAILURE_S", 0.0)
    task_id = add(store, "put", "news", markdown("news", "tea"))
    assert outcome(store, shelf, task_id).state == "done"
    assert not failing
    assert held(shelf.index)["news"] == "tea"


def test_stopping_the_service_leaves_a_task_that_is_kept_what_came_with_it(
    shelf: Library,
) -> None:
    with serving(shelf) as client, TaskStore(shelf.index).working() as is_ours:
        assert is_ours  # so nobody works at the task, and the request waits
        content = markdown("news", "tea")

        async def sent_and_cut_off() -> list[Task]:
            transport = httpx.ASGITransport(client.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://testserver", headers=client.headers
            ) as sender:
                request = asyncio.create_task(
                    sender.put(f"{API}/articles/news", content=content, headers=MARKDOWN)
                )
                while not (tasks := store.in_state("queued")):
                    await asyncio.sleep(0.01)
                    assert not request.done()
                request.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await request
            return tasks

        store = TaskStore(shelf.index)
        (task,) = asyncio.run(sent_and_cut_off())
    assert (store.received(task.id) / "0").read_text() == content
    assert outcome(store, shelf, task.id).state == "done"
    store.close()

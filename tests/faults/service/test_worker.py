"""indexer.tasks.worker: what an attempt that was cut off has left, the next one takes for what it is"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from indexer.corpus.editing import put, remove
from indexer.maintenance import follow
from indexer.tasks import editor
from indexer.tasks.reports import report_of
from kb.tasks import store as task_store
from kb.tasks.messages import BulkRequest, ChangeRequest, DeleteRequest, PutRequest, SentFile
from kb.tasks.store import TaskStore
from kb.tasks.task import Task, new_task_id
from support.library import Library, held, markdown
from support.service import API, MARKDOWN, ended, serving, work_here, working
from support.waiting import until


@pytest.fixture
def store(shelf: Library) -> Iterator[TaskStore]:
    opened = TaskStore(shelf.index)
    yield opened
    opened.close()


def sent(store: TaskStore, task_id: str, name: str, content: str) -> SentFile:
    """A file that came with a task."""
    folder = store.received(task_id)
    folder.mkdir()
    (folder / "0").write_text(content)
    return SentFile(name, hashlib.sha256(content.encode()).hexdigest())


def begun(store: TaskStore, change: Callable[[str], ChangeRequest], article_id: str = "") -> str:
    """A task that a worker has begun, and was cut off before it ended."""
    task_id = new_task_id()
    store.add(task_id, change(task_id), subject=article_id)
    return task_id


def begun_put(store: TaskStore, article_id: str, content: str, **conditions: Any) -> str:
    return begun(
        store,
        lambda task_id: PutRequest(sent(store, task_id, "article", content), ".md", **conditions),
        article_id,
    )


def outcome(store: TaskStore, shelf: Library, task_id: str) -> Task | None:
    assert work_here(shelf.index, idle_s=0)
    assert list((store.folder / "received").iterdir()) == []
    return store.get(task_id)


def state(store: TaskStore, shelf: Library, task_id: str) -> str | None:
    task = outcome(store, shelf, task_id)
    return task and task.state


def test_an_article_that_the_corpus_got_before_the_cut_is_not_refused_as_there_already(
    store: TaskStore, shelf: Library
) -> None:
    content = markdown("news", "tea")
    task_id = begun_put(store, "news", content, if_none_match=True)
    put([shelf.corpus], "news", ".md", content.encode())
    assert state(store, shelf, task_id) == "done"
    assert held(shelf.index)["news"] == "tea"


def test_one_that_was_cut_off_before_the_corpus_got_it_is_made(
    store: TaskStore, shelf: Library
) -> None:
    task_id = begun_put(store, "news", markdown("news", "tea"), if_none_match=True)
    assert state(store, shelf, task_id) == "done"
    assert held(shelf.index)["news"] == "tea"


def test_one_that_somebody_else_has_changed_since_the_cut_is_forgotten(
    store: TaskStore, shelf: Library
) -> None:
    before = put([shelf.corpus], "news", ".md", markdown("news", "tea").encode()).digest
    task_id = begun_put(store, "news", markdown("news", "milk"), if_match=(before,))
    put([shelf.corpus], "news", ".md", markdown("news", "honey").encode())
    assert state(store, shelf, task_id) is None
    assert (shelf.corpus / "news.md").read_text() == markdown("news", "honey")


@pytest.mark.parametrize("left", ["", "half", None])
def test_one_whose_file_a_power_cut_has_spoilt_is_forgotten_and_what_the_corpus_got_comes_in(
    store: TaskStore, shelf: Library, left: str | None
) -> None:
    task_id = begun_put(store, "news", markdown("news", "tea"))
    file = store.received(task_id) / "0"
    file.unlink()
    if left is not None:
        file.write_text(left)
    shelf.put("another", "salt")  # as of an upload of which half was taken in
    assert state(store, shelf, task_id) is None
    assert held(shelf.index) == shelf.texts
    assert [task.kind for task in store.latest(5)] == ["rebuild"]


def test_one_that_was_deleted_before_the_cut_is_not_missed(
    store: TaskStore, shelf: Library
) -> None:
    task_id = begun(store, lambda _: DeleteRequest(), "article-1")
    remove([shelf.corpus], ["article-1"])
    assert state(store, shelf, task_id) == "done"
    assert "article-1" not in held(shelf.index)


def test_half_an_upload_is_taken_in_anew(store: TaskStore, shelf: Library) -> None:
    content = markdown("news", "tea")
    task_id = begun(
        store,
        lambda task_id: BulkRequest((sent(store, task_id, "news.md", content),), 10_000, 10),
    )
    left = store.received(task_id) / "unpacked" / "0"
    left.mkdir(parents=True)
    (left / "news.md").write_text("half")
    task = outcome(store, shelf, task_id)
    assert task is not None and task.report is not None
    assert task.report.summary.added == 1
    assert held(shelf.index)["news"] == "tea"


@pytest.mark.parametrize("reached", ["queued", "accepted"])
def test_a_task_that_no_worker_survives_does_not_stop_the_others(
    store: TaskStore, shelf: Library, reached: str
) -> None:
    deadly = begun_put(store, "deadly", markdown("deadly", "tea"))
    if reached == "accepted":
        store.accept(deadly, report_of())
        store.discard(deadly)
    for _ in range(task_store.MAX_ATTEMPTS):
        store.begin([deadly])
    good = begun_put(store, "good", markdown("good", "tea"))
    assert state(store, shelf, good) == "done"
    task = store.get(deadly)
    if reached == "queued":
        assert task is None
    else:
        assert task is not None
        assert task.state == "failed"
        assert str(task_store.MAX_ATTEMPTS) in str(task.error)


def test_a_build_that_fails_says_that_the_corpus_has_it(
    store: TaskStore, shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(follow, "build", full)
    task = outcome(store, shelf, begun_put(store, "news", markdown("news", "tea")))
    assert task is not None
    assert task.state == "failed"
    assert task.error == (
        "The corpus has it, the index does not: The disk failed: No space left on device."
    )
    assert (shelf.corpus / "news.md").exists()


def test_only_one_works(store: TaskStore, shelf: Library) -> None:
    with store.working() as is_ours:
        assert is_ours
        assert not work_here(shelf.index, idle_s=0, wait_for_lock_s=0)


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
    task_id = begun_put(store, "news", markdown("news", "tea"))
    assert state(store, shelf, task_id) == "done"
    assert not failing
    assert held(shelf.index)["news"] == "tea"


async def put_and_cut_off(
    client: TestClient, until: Callable[[asyncio.Task[Any]], Awaitable[None]]
) -> None:
    """Send an article, and break the connection once `until` returns, which is told of the request."""
    transport = httpx.ASGITransport(client.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://testserver", headers=client.headers
    ) as sender:
        content = markdown("news", "tea")
        request = asyncio.create_task(
            sender.put(f"{API}/articles/news", content=content, headers=MARKDOWN)
        )
        await until(request)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request


def test_a_change_that_is_cut_off_before_a_worker_has_it_leaves_nothing(
    shelf: Library, store: TaskStore
) -> None:
    with store.working() as is_ours, serving(shelf) as client:
        assert is_ours  # and does not listen, so that the request waits

        async def received(request: asyncio.Task[Any]) -> None:
            while not list((store.folder / "received").iterdir()):
                await asyncio.sleep(0.01)
                assert not request.done()

        asyncio.run(put_and_cut_off(client, received))
        assert list((store.folder / "received").iterdir()) == []
    assert store.latest(5) == []


def test_a_client_that_goes_while_its_change_is_taken_in_does_not_undo_it(
    shelf: Library, store: TaskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, goes_on = threading.Event(), threading.Event()

    def slow(*given: Any, **named: Any) -> Any:
        reached.set()
        assert goes_on.wait(60)
        return put(*given, **named)

    monkeypatch.setattr(editor, "put", slow)
    with working(shelf), serving(shelf) as client:

        async def taken_up(_: asyncio.Task[Any]) -> None:
            await asyncio.to_thread(reached.wait, 60)

        asyncio.run(put_and_cut_off(client, taken_up))
        goes_on.set()
        assert ended(client, until(lambda: store.latest(1))[0].id)["state"] == "done"
    assert held(shelf.index)["news"] == "tea"


def test_a_worker_that_lacks_what_changing_needs_tells_the_status_and_makes_room_for_one_that_has_it(
    shelf: Library, store: TaskStore
) -> None:
    def lacking() -> Any:
        raise ModuleNotFoundError("No module named 'markdown_it'", name="markdown_it")

    with pytest.raises(ModuleNotFoundError):
        work_here(shelf.index, idle_s=0, load_editor=lacking)
    options = {"parent": os.getppid(), "load_editor": lacking}
    child = threading.Thread(target=work_here, args=(shelf.index,), kwargs=options)
    child.start()
    until(store.is_worked_at)
    with serving(shelf) as client:
        status = client.get(f"{API}/status")
        assert (status.status_code, status.json()["tasks"]["failed"]) == (200, 0)
        content = markdown("news", "tea")
        response = client.put(f"{API}/articles/news", content=content, headers=MARKDOWN)
        assert response.status_code == 504
        assert "markdown_it" in response.json()["detail"]
        assert "'sectioned-kb[indexing]'" in response.json()["detail"]
        with working(shelf):
            child.join(30)
            assert not child.is_alive()
            response = client.put(f"{API}/articles/news", content=content, headers=MARKDOWN)
            assert response.status_code == 202

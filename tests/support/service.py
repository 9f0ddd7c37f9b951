"""A service over a library, spoken to without a network, and a worker beside it in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from indexer.tasks.builder import TaskBuilder
from indexer.tasks.worker import work
from kb.storage.keys import KeyRing, Scope, keys_file
from kb.tasks.store import TaskStore
from search_api.service.app import create_app
from search_api.state.settings import load_settings
from support.library import Library
from support.waiting import until

API = "/api/v1"
MARKDOWN = {"Content-Type": "text/markdown"}


def bearer(library: Library, *scopes: Scope) -> dict[str, str]:
    """The header of a new key."""
    _, presented = KeyRing(keys_file(library.index)).add("test", scopes)
    return {"Authorization": f"Bearer {presented}"}


class BuilderThread:
    """Builds in this process, where tests have put errors and few words of English in the way."""

    def __init__(self, index: Path, log_format: str = "text") -> None:
        self._store = TaskStore(index)
        self._builder = TaskBuilder(index, self._store, after_failure_s=0)
        self._called, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def call(self) -> None:
        self._called.set()

    def close(self) -> None:
        """Returns when the build under way has ended."""
        self._ended.set()
        self._called.set()
        self._thread.join()
        self._store.close()

    def _run(self) -> None:
        while self._called.wait() and not self._ended.is_set():
            self._called.clear()
            self._builder.build_all()


def work_here(index: Path, **options: Any) -> bool:
    """`indexer.tasks.worker.work` with its builds in this process."""
    return work(index, make_builder=BuilderThread, **options)


@contextmanager
def working(library: Library) -> Iterator[None]:
    """Work at the tasks of the library, as `kb work` does in processes of its own."""
    stopped = threading.Event()
    thread = threading.Thread(target=work_here, args=(library.index,), kwargs={"stopped": stopped})
    thread.start()
    try:
        store = TaskStore(library.index)
        # else a service would start a worker of its own
        until(lambda: store.is_worked_at() or not thread.is_alive())
        assert thread.is_alive()
        store.close()
        yield
    finally:
        stopped.set()
        thread.join()


@contextmanager
def serving(library: Library, **settings: Any) -> Iterator[TestClient]:
    """The service; each request bears a key for articles and administration."""
    options = {"poll_interval_s": 0.05, **settings}
    with TestClient(create_app(load_settings(index=library.index, **options))) as client:
        client.headers.update(bearer(library, "articles", "admin"))
        yield client


def ended(client: Any, task_id: str, within_s: float = 300) -> dict[str, Any]:
    """The task once it has ended."""

    def task() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"{API}/tasks/{task_id}").json()
        return found if found["state"] in ("done", "failed") else None

    return until(task, within_s)

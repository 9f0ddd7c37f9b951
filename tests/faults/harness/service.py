"""A service over a library, spoken to without a network, and a worker beside it in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi.testclient import TestClient

from harness.library import Library
from indexer.worker import work
from kb.keys import KeyRing, Scope, keys_file
from search_api.app import create_app
from search_api.settings import load_settings

API = "/api/v1"
MARKDOWN = {"Content-Type": "text/markdown"}


def bearer(library: Library, *scopes: Scope) -> dict[str, str]:
    """The header of a new key."""
    _, presented = KeyRing(keys_file(library.index)).add("test", scopes)
    return {"Authorization": f"Bearer {presented}"}


@contextmanager
def working(library: Library) -> Iterator[None]:
    """Work at the tasks of the library, as `kb work` does in a process of its own."""
    stopped = threading.Event()
    thread = threading.Thread(target=work, args=(library.index,), kwargs={"stopped": stopped})
    thread.start()
    try:
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
    deadline = time.monotonic() + within_s
    while True:
        task: dict[str, Any] = client.get(f"{API}/tasks/{task_id}").json()
        if task["state"] in ("done", "failed"):
            return task
        assert time.monotonic() < deadline, task
        time.sleep(0.02)

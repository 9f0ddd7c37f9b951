"""What the service has answered with 202 is on disk: no power cut loses an article, a deletion or a task."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from indexer.tasks.editor import TaskEditor
from kb.tasks.messages import Reply, SubmitTask
from kb.tasks.store import TaskStore
from search_api.state.worker_client import WorkerClient
from search_api.state.worker_process import WorkerProcess
from support.crashes.power import Recorder, crash
from support.library import Library, held, leftovers, markdown
from support.service import API, MARKDOWN, serving, work_here

LONG, SHORT = 500, 32

Holds = Callable[[Library], bool]


def says(article_id: str, word: str) -> Holds:
    def holds(library: Library) -> bool:
        path = library.corpus / f"{article_id}.md"
        return path.exists() and path.read_bytes() == markdown(article_id, word).encode()

    return holds


def is_gone(library: Library) -> bool:
    return not (library.corpus / "article-1.md").exists()


class Session:
    """What a service was sent, and which step of the record came right after each answer.

    What takes changes in is called where the service would send it a message, so that one thread at a time takes steps.
    """

    def __init__(self, library: Library, recorder: Recorder, client: TestClient) -> None:
        self.library, self.recorder, self.client = library, recorder, client
        self.acknowledged: list[tuple[int, str, Holds]] = []

    def send(self, method: str, path: str, holds: Holds, **content: Any) -> None:
        response = self.client.request(method, f"{API}/{path}", **content)
        assert response.status_code == 202, response.text
        self.recorder.note("answer")
        place = len(self.recorder.moments) - 1
        self.acknowledged.append((place, response.json()["id"], holds))

    def all_of_it(self) -> None:
        news = markdown("news", "tea").encode()
        self.send("PUT", "articles/news", says("news", "tea"), content=news, headers=MARKDOWN)
        self.send("DELETE", "articles/article-1", is_gone)
        self.work()
        files = [("file", (f"{name}.md", markdown(name, "milk"))) for name in ("one", "two")]
        self.send(
            *("POST", "upload", lambda cut: says("one", "milk")(cut) and says("two", "milk")(cut)),
            files=files,
        )
        self.send("POST", "rebuild", lambda _: True)
        self.work()

    def work(self) -> None:
        assert work_here(self.library.index, idle_s=0)
        self.recorder.note("worked")


@pytest.fixture(scope="module")
def session(tiny_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Session:
    library = tiny_library.copy(tmp_path_factory.mktemp("served") / "library")
    library.put("article-0", "salted")
    library.build()
    recorder = Recorder(library.root)

    async def ask(client: WorkerClient, task: SubmitTask, sending: Callable[[], None]) -> Reply:
        sending()
        store = TaskStore(library.index)
        reply = TaskEditor(library.index, store, lambda: None).submit(task)
        store.discard(task.task_id)
        store.close()
        return reply

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WorkerProcess, "_look", lambda _: None)
        patched.setattr(WorkerClient, "ask", ask)
        with serving(library, poll_interval_s=3600) as client:
            assert client.get(f"{API}/tasks").json() == {"tasks": []}  # they have their file now
            with recorder.recording(patched):
                found = Session(library, recorder, client)
                found.all_of_it()
    return found


def test_what_was_acknowledged_outlives_power_cuts_at_any_moment(
    session: Session, is_long: bool
) -> None:
    library, moments = session.library, session.recorder.moments
    final = {**library.texts, "news": "tea", "one": "milk", "two": "milk"}
    del final["article-1"]
    first = session.acknowledged[0][0] // 2
    for seed in range(LONG if is_long else SHORT):
        at = random.Random(seed).randrange(first, len(moments))
        what = f"seed {seed}, after {moments[at].step}, {at}"
        cut = image(library, session.recorder, at, seed)
        store = TaskStore(cut.index)
        for place, task_id, holds in session.acknowledged:
            if place <= at:
                task = store.get(task_id)
                assert task is not None, what
                assert task.state in ("accepted", "done"), what
                assert holds(cut), (what, task_id)
        told = [task_id for place, task_id, _ in session.acknowledged if place <= at]
        if is_long or seed % 16 == 0:
            assert work_here(cut.index, idle_s=0)
            assert {task.state for task in store.latest(10)} <= {"done"}, what
            assert set(told) <= {task.id for task in store.latest(10)}, what
            texts = held(cut.index)
            assert texts.items() <= {**final, "article-1": "salt"}.items(), what
            assert texts.keys() == {path.stem for path in cut.corpus.glob("[!.]*.md")}, what
            assert leftovers(cut.index) == [], what
            assert at < len(moments) - 1 or texts == final
        store.close()


def test_a_service_whose_syncs_do_nothing_is_caught_by_these_power_cuts(session: Session) -> None:
    lost = 0
    place, _, holds = session.acknowledged[0]
    for seed in range(30):
        cut = image(session.library, session.recorder, place, seed, syncs=False)
        lost += not holds(cut)
    assert lost > 5


def image(
    library: Library, recorder: Recorder, at: int, seed: int, *, syncs: bool = True
) -> Library:
    """What a cut leaves, in the place of the library: an index knows its corpus by its path."""
    shutil.rmtree(library.root, ignore_errors=True)
    crash(recorder.moments, at, library.root, seed, syncs=syncs)
    return Library(library.root, library.model)

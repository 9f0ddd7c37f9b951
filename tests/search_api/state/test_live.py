from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb.ranking import tuned_weights
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.schema.errors import IndexDamaged, IndexMissing, IndexUnusable, TuningDamaged
from search_api.http.problem_kinds import index_remedy
from search_api.service.app import create_app
from search_api.state import live as live_module
from search_api.state.live import LiveIndex
from search_api.state.settings import load_settings
from support.places import CORPUS
from support.waiting import until


@dataclass
class FakeBase:
    generation: str
    article_count: int = 1
    damage: IndexUnusable | None = None
    closed: int = 0
    warm: bool = False

    def warm_up(self) -> None:
        self.warm = True
        if self.generation == "cold":
            raise IndexDamaged("cold: a file of words is short")

    def close(self) -> None:
        self.closed += 1


@dataclass
class Shelf:
    """What lies in the index folder, and what was opened from it."""

    current: str = ""
    broken: set[str] = field(default_factory=set)
    fallback: str = ""
    opened: list[FakeBase] = field(default_factory=list)
    attempts: int = 0
    now: float = 0.0

    def current_generation(self, _: Path) -> str:
        if not self.current:
            raise IndexMissing("nothing here")
        return self.current

    def open(self, _: Path, **options: Any) -> FakeBase:
        assert options["verify"] == "full"
        self.attempts += 1
        wanted, damage = self.current, None
        if not wanted:
            raise IndexMissing("nothing here")
        if wanted in self.broken:
            damage = IndexDamaged(f"{wanted}: a file is short")
            if not self.fallback:
                raise damage
            wanted = self.fallback
        self.opened.append(FakeBase(wanted, damage=damage))
        return self.opened[-1]


SHELF = Path("shelf")


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """In place of the index at SHELF alone: services of other tests may watch theirs meanwhile."""
    made = Shelf()
    real_current, real_open = live_module.current_generation, live_module.KnowledgeBase.open

    class Opener:
        @staticmethod
        def open(path: Path, **options: Any) -> Any:
            return made.open(path, **options) if path == SHELF else real_open(path, **options)

    def current_generation(path: Path) -> str:
        return made.current_generation(path) if path == SHELF else real_current(path)

    monkeypatch.setattr(live_module, "current_generation", current_generation)
    monkeypatch.setattr(live_module, "KnowledgeBase", Opener)
    return made


@pytest.fixture
def live(shelf: Shelf) -> Iterator[LiveIndex]:
    yield LiveIndex(SHELF, clock=lambda: shelf.now)


def served(live: LiveIndex) -> str:
    with live.use() as knowledge_base:
        return knowledge_base.generation


def test_without_an_index_it_says_so_until_one_is_published(shelf: Shelf, live: LiveIndex) -> None:
    live.refresh()
    for _ in range(2):
        with pytest.raises(IndexMissing, match="nothing here"), live.use():
            pass
    shelf.current = "one"
    live.refresh()
    assert served(live) == "one"
    assert live.failure is None
    assert shelf.opened[0].warm


def test_a_generation_that_cannot_be_made_ready_is_closed_and_leaves_the_old_one(
    shelf: Shelf, live: LiveIndex
) -> None:
    shelf.current = "one"
    live.refresh()
    shelf.current = "cold"
    live.refresh()
    assert served(live) == "one"
    assert isinstance(live.failure, IndexDamaged)
    assert [opened.closed for opened in shelf.opened] == [0, 1]


def test_the_old_generation_is_closed_when_its_last_request_has_ended(
    shelf: Shelf, live: LiveIndex
) -> None:
    shelf.current = "one"
    live.refresh()
    with live.use() as first, live.use():
        shelf.current = "two"
        live.refresh()
        assert served(live) == "two"
        assert first.generation == "one"
        assert shelf.opened[0].closed == 0
    assert [base.closed for base in shelf.opened] == [1, 0]


def test_a_generation_that_does_not_open_leaves_the_old_one_and_is_said_once(
    shelf: Shelf, live: LiveIndex, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.current = "one"
    live.refresh()
    shelf.current, shelf.broken = "two", {"two"}
    with caplog.at_level(logging.WARNING):
        for second in range(100):
            shelf.now = float(second)
            live.refresh()
    assert served(live) == "one"
    assert isinstance(live.failure, IndexDamaged)
    said = [record.getMessage() for record in caplog.records]
    assert [message for message in said if f"the index at {SHELF} " in message] == [
        f"the index at {SHELF} cannot be served: two: a file is short"
    ]
    assert shelf.attempts == 1 + 4  # at 0, 30, 60 and 90 seconds
    shelf.current = "three"
    live.refresh()
    assert served(live) == "three"
    assert live.failure is None


def test_a_mended_generation_is_taken_over_without_a_new_name(
    shelf: Shelf, live: LiveIndex
) -> None:
    shelf.current, shelf.broken = "one", {"one"}
    live.refresh()
    shelf.broken, shelf.now = set(), 31.0
    live.refresh()
    assert (served(live), live.failure) == ("one", None)


def test_an_older_generation_that_opening_falls_back_to_is_served_as_degraded(
    shelf: Shelf, live: LiveIndex
) -> None:
    shelf.current, shelf.broken, shelf.fallback = "two", {"two"}, "one"
    live.refresh()
    assert served(live) == "one"
    assert live.failure is not None
    shelf.now = 31.0
    live.refresh()
    assert [base.closed for base in shelf.opened] == [0, 1]


def test_an_index_that_vanishes_goes_on_being_served(shelf: Shelf, live: LiveIndex) -> None:
    shelf.current = "one"
    live.refresh()
    shelf.current = ""
    live.refresh()
    assert served(live) == "one"
    assert isinstance(live.failure, IndexMissing)


def test_an_unforeseen_error_is_a_failure_like_any_other(
    shelf: Shelf, live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    shelf.current = "one"
    monkeypatch.setattr("search_api.state.live.KnowledgeBase.open", staticmethod(fail))
    live.refresh()
    assert "MemoryError" in str(live.failure)
    with pytest.raises(IndexUnusable), live.use():
        pass


def test_closing_closes_once_and_ends_the_thread(shelf: Shelf) -> None:
    shelf.current, running = "one", set(threading.enumerate())
    live = LiveIndex(SHELF, poll_interval_s=0.01)
    live.start()
    shelf.current = "two"
    until(lambda: served(live) == "two")
    live.close()
    assert [(base.generation, base.closed) for base in shelf.opened] == [("one", 1), ("two", 1)]
    until(
        lambda: set(threading.enumerate()) <= running
    )  # one that loads the languages ends by itself


def test_a_new_generation_is_taken_over_while_questions_are_asked(
    index_path: Path, tmp_path: Path
) -> None:
    from indexer.build.build import build
    from indexer.build.request import BuildRequest

    corpus = tmp_path / "corpus"
    shutil.copytree(CORPUS, corpus)
    index = tmp_path / "index"
    shutil.copytree(index_path, index, ignore=shutil.ignore_patterns("tasks"))  # and no socket
    settings = load_settings(index=index, poll_interval_s=0.05)
    with TestClient(create_app(settings)) as client:
        before = client.get("/healthz").json()
        seen: list[tuple[int, str]] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                answer = client.post("/api/v1/search", json={"question": "legs jerk asleep"})
                seen.append((answer.status_code, answer.json().get("generation", "")))

        askers = [threading.Thread(target=ask) for _ in range(2)]
        for asker in askers:
            asker.start()
        (corpus / "sleep-hygiene.md").unlink()
        published = build(BuildRequest(index, [corpus])).generation
        until(lambda: client.get("/healthz").json()["generation"] == published)
        time.sleep(0.2)
        stop.set()
        for asker in askers:
            asker.join()
        after = client.get("/healthz").json()
        (index / "CURRENT").write_text("20990101T000000Z-0000000000000000\n")
        until(lambda: client.get("/healthz").json()["status"] == "degraded")
        assert client.get("/healthz").json()["generation"] == published
    assert {status for status, _ in seen} == {200}
    assert {generation for _, generation in seen} == {before["generation"], published}
    assert after["articles"] == before["articles"] - 1
    assert after["status"] == "ok"


def test_damaged_weights_are_told_with_their_remedy_and_taken_back_up_once_reset(
    index_copy: Path,
) -> None:
    (index_copy / "tuning.json").write_text("{")
    live = LiveIndex(index_copy, retry_after_s=0)
    live.refresh()
    with pytest.raises(TuningDamaged) as caught, live.use():
        pass
    assert "kb tune --reset" in index_remedy(caught.value)
    assert str(index_copy) not in index_remedy(caught.value)
    tuned_weights.remove(index_copy)
    live.refresh()
    with live.use() as knowledge_base:
        assert knowledge_base.search("legs").results
    live.close()


def test_new_weights_are_taken_over_with_the_next_generation_and_not_before(
    index_copy: Path, tmp_path: Path
) -> None:
    from indexer.build.build import build
    from indexer.build.request import BuildRequest

    weights = FusionWeights(keyword=1, dense=0, sentence=0, name=0, focus=0)
    live = LiveIndex(index_copy)
    live.refresh()
    with live.use() as before:
        model, version = before.manifest.model.sha256, before.manifest.pipeline_version
    tuned_weights.store(
        index_copy,
        tuned_weights.Tuning(
            weights, "2026-02-01T00:00:00+00:00", 42, "section", {}, model, version
        ),
    )
    live.refresh()
    with live.use() as same:
        assert same.weights == DEFAULT_WEIGHTS
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "legs.md").write_text("# Legs\n\nLegs jerk at night.\n")
    build(BuildRequest(index_copy, [tmp_path / "corpus"], replace=True))
    live.refresh()
    with live.use() as after:
        assert after.weights == weights
    live.close()

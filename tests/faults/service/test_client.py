"""kb.client: what changes the library, against the real service and against servers that misbehave"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from indexer.generations.lock import writer_lock
from kb.client import (
    Accepted,
    ArticleNotFound,
    AsyncClient,
    Client,
    DeadlineExceeded,
    KeyRefused,
    PreconditionFailed,
    RequestRefused,
    RetryPolicy,
    TaskNotFound,
    TaskView,
    UnexpectedAnswer,
)
from kb.schema.article import Article, Section
from support.library import Library, held, markdown
from support.service import bearer, working
from support.waiting import until
from tests.kb.client import conftest as clients
from tests.kb.client.conftest import Ask, Scripted, answer
from tests.kb.client.test_following import LAST, TASK, event

Listening = Callable[..., AbstractContextManager[str]]
ask, scripted = clients.ask, clients.scripted

ACCEPTED = answer(202, json.dumps(TASK).encode(), "Content-Type: application/json")
STREAM = "Content-Type: text/event-stream"


@pytest.fixture
def service(shelf: Library, listening: Listening) -> Iterator[str]:
    with working(shelf), listening(shelf.index, poll_interval_s=0.05) as url:
        yield url


@pytest.fixture
def key(shelf: Library) -> dict[str, Any]:
    header = bearer(shelf, "articles", "admin")["Authorization"]
    return {"api_key": header.removeprefix("Bearer ")}


def followed(kind: type[Client | AsyncClient], url: str, task_id: str, **client: Any) -> list[str]:
    """The states of a task as a client of that kind sees them."""

    async def awaited() -> list[str]:
        async with AsyncClient(url, **client) as opened:
            return [task.state async for task in opened.follow(task_id)]

    if kind is AsyncClient:
        return asyncio.run(awaited())
    with Client(url, **client) as opened:
        return [task.state for task in opened.follow(task_id)]


def done(ask: Ask, url: str, task: TaskView, client: Any) -> TaskView:
    ended: TaskView = ask(url, "wait", task.id, client=client, timeout_s=120)
    assert (ended.state, ended.error, ended.has_ended) == ("done", None, True)
    assert ended.report is not None and ended.report.generation is not None
    # it looks a few times a second, and may by then have the generation of a later task
    published = ended.report.generation
    until(lambda: ask(url, "health").generation >= published)
    return ended


def test_an_article_is_added_read_changed_and_deleted(
    ask: Ask, service: str, shelf: Library, key: dict[str, Any]
) -> None:
    added = ask(service, "put_article", "news", markdown("news", "tea"), only_new=True, client=key)
    assert (shelf.corpus / "news.md").read_text() == markdown("news", "tea")
    assert (added.task.kind, added.task.article_id, added.replayed) == ("put", "news", False)
    report = done(ask, service, added.task, key).report
    assert report is not None
    assert (report.summary.added, report.articles[0].change) == (1, "added")
    found = ask(service, "article_with_etag", "news")
    assert found.etag == added.etag
    assert found.article == ask(service, "article", "news")
    assert found.article.sections[0].text == "tea comes first."

    changed = ask(service, "put_article", "news", found.article, if_match=found.etag, client=key)
    with pytest.raises(PreconditionFailed, match="read it again"):
        ask(service, "put_article", "news", found.article, if_match='"other"', client=key)
    with pytest.raises(PreconditionFailed, match="already"):
        ask(service, "put_article", "news", found.article, only_new=True, client=key)
    with pytest.raises(RequestRefused, match="cannot be taken"):
        ask(service, "put_article", "news", {"sections": []}, client=key)
    with pytest.raises(PreconditionFailed):
        ask(service, "delete_article", "news", if_match=f"W/{changed.etag}", client=key)
    gone = ask(service, "delete_article", "news", if_match=changed.etag, client=key)
    assert gone.etag is None
    done(ask, service, gone.task, key)
    assert "news" not in held(shelf.index)
    with pytest.raises(ArticleNotFound):
        ask(service, "delete_article", "news", client=key)
    with pytest.raises(KeyRefused):
        ask(service, "delete_article", "article-1")


def test_files_and_articles_are_sent_together_and_status_and_tasks_tell_of_them(
    ask: Ask, service: str, shelf: Library, key: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "one.md"
    path.write_text(markdown("one", "tea"))
    sent = ask(
        service, "upload", [path, ("two.md", b"# Two\n\nText."), ("a.pdf", b"%")], client=key
    )
    many = [Article(f"a{n}", f"A {n}", (Section("s", "", 1, f"w{n}"),)) for n in range(20)]
    imported = ask(service, "import_articles", many, client=key)
    report = done(ask, service, sent.task, key).report
    assert report is not None
    assert (report.summary.added, report.summary.failed) == (2, 1)
    assert [failure.file for failure in report.failures] == ["a.pdf"]
    report = done(ask, service, imported.task, key).report
    assert report is not None
    assert report.summary.added == 20

    shelf.put("by-hand", "tea")
    status = ask(service, "status", client=key)
    assert (status.stale.added, status.tasks.done) == (("by-hand",), 2)
    rebuilt = ask(service, "rebuild", client=key).task
    done(ask, service, rebuilt, key)
    status = ask(service, "status", client=key)
    assert (status.stale.added, status.generation) == ((), shelf.live().name)
    assert status.counts.articles == len(shelf.texts) + 22
    listed = ask(service, "tasks", limit=2, client=key).tasks
    assert [task.id for task in listed] == [rebuilt.id, imported.task.id]
    assert ask(service, "task", sent.task.id, client=key).report.summary.added == 2
    with pytest.raises(TaskNotFound, match="no task"):
        ask(service, "task", "20260101T000000Z-0000000000000000", client=key)

    for path in shelf.corpus.iterdir():
        path.unlink()
    refused = ask(service, "rebuild", client=key).task
    ended = ask(service, "wait", refused.id, client=key, timeout_s=120)
    assert ended.state == "failed"
    assert f"{len(shelf.texts) + 22} of the {len(shelf.texts) + 22} published" in ended.error
    replaced = ask(service, "rebuild", replace=True, client=key).task
    done(ask, service, replaced, key)
    assert ask(service, "status", client=key).counts.articles == 0
    with pytest.raises(FileNotFoundError):
        ask(service, "upload", [tmp_path / "missing.md"], client=key)


def test_the_same_work_under_the_same_key_is_the_same_task(
    ask: Ask, service: str, shelf: Library, key: dict[str, Any]
) -> None:
    first, again, other = (
        ask(service, "put_article", "news", markdown("news", "tea"), client=key, **named)
        for named in [{"idempotency_key": "k"}] * 2 + [{}]
    )
    assert first.task.id == again.task.id != other.task.id
    assert (first.replayed, again.replayed, other.replayed) == (False, True, False)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_task_is_followed_to_its_end_across_a_restart_of_the_service(
    kind: type[Client | AsyncClient], shelf: Library, key: dict[str, Any], listening: Listening
) -> None:
    with (
        listening(shelf.index) as url,
        working(shelf),
        writer_lock(shelf.index),
        Client(url, **key) as client,
    ):
        task_id = client.put_article("news", markdown("news", "tea")).task.id
        with pytest.raises(DeadlineExceeded, match="It continues"):
            client.wait(task_id, timeout_s=0.3)
        stream = client.follow(task_id)
        assert next(stream).state == "accepted"
        stream.close()
    port = int(url.rpartition(":")[2])
    with working(shelf), listening(shelf.index, port):
        states = followed(kind, url, task_id, **key)
    assert states[-1] == "done"
    assert held(shelf.index)["news"] == "tea"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_change_outlasts_a_restart_of_the_service(
    kind: type[Client | AsyncClient],
    shelf: Library,
    key: dict[str, Any],
    listening: Listening,
    is_long: bool,
) -> None:
    with listening(shelf.index) as url:
        port = int(url.rpartition(":")[2])
    answered: list[Accepted] = []

    def put() -> None:
        async def awaited() -> Accepted:
            async with AsyncClient(url, **key) as client:
                return await client.put_article("news", markdown("news", "tea"))

        if kind is AsyncClient:
            answered.append(asyncio.run(awaited()))
        else:
            with Client(url, **key) as client:
                answered.append(client.put_article("news", markdown("news", "tea")))

    putting = threading.Thread(target=put)
    putting.start()
    time.sleep(30 if is_long else 4)  # four attempts alone would not last as long
    assert not answered
    with working(shelf), listening(shelf.index, port):
        putting.join(60)
        assert [(accepted.task.kind, accepted.replayed) for accepted in answered] == [
            ("put", False)
        ]
    assert (shelf.corpus / "news.md").exists()


def test_a_change_whose_answer_was_lost_is_sent_again_as_the_same(
    ask: Ask, scripted: Scripted, tmp_path: Path
) -> None:
    path = tmp_path / "one.md"
    path.write_text("# One\n\nText.")
    for name, arguments in (
        ("put_article", ["a", "# A\n\nText."]),
        ("delete_article", ["a"]),
        ("upload", [[path]]),
        ("import_articles", [[{"id": "a"}]]),
        ("rebuild", []),
    ):
        scripted.requests.clear()
        scripted.answers = [None, answer(503, b"", "Retry-After: 0"), ACCEPTED]
        assert ask(scripted.url, name, *arguments).task.id == "t"
        heads, bodies = zip(*(r.split(b"\r\n\r\n", 1) for r in scripted.requests), strict=True)
        keys = {line for head in heads for line in head.lower().split(b"\r\n") if b"idempo" in line}
        assert (len(heads), len(keys)) == (3, 1), name
        # The boundary of a form is chosen anew each time.
        assert name == "upload" or len(set(bodies)) == 1, name
        assert name != "upload" or all(b"# One" in body for body in bodies)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_stream_that_breaks_is_taken_up_after_the_last_event(
    kind: type[Client | AsyncClient], scripted: Scripted
) -> None:
    half = event(5).encode()[:30]
    scripted.answers = [
        answer(503, b"", "Retry-After: 0"),
        answer(200, event(3).encode() + half, STREAM),
        None,
        answer(200, event(7, LAST).encode(), STREAM),
    ]
    quick = RetryPolicy(base_s=0.001)
    assert followed(kind, scripted.url, "t", retry=quick) == ["queued", "done"]
    assert b"last-event-id" not in scripted.requests[1].lower()
    assert b"last-event-id: 3\r\n" in scripted.requests[3].lower()


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_is_no_stream_of_events_is_told_as_that(
    kind: type[Client | AsyncClient], scripted: Scripted
) -> None:
    scripted.answers = [answer(200, b"<html>", "Content-Type: text/html")]
    with pytest.raises(UnexpectedAnswer, match="not a stream"):
        followed(kind, scripted.url, "t")

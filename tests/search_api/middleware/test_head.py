"""HEAD is GET without the body, on every route."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from starlette.responses import StreamingResponse

from kb import KnowledgeBase
from kb.schema.search_request import SearchRequest
from kb.storage.keys import KeyRing, keys_file
from kb.tasks.messages import RebuildRequest
from kb.tasks.store import TaskStore
from search_api.middleware.head import HeadAsGet
from search_api.service.app import create_app
from search_api.state.settings import Settings
from support.questions import QUESTION

ADDRESSES = {
    "/api/v1/search": "/api/v1/search?q=legs",
    "/api/v1/suggest": "/api/v1/suggest?q=leg",
    "/api/v1/related": "/api/v1/related?article=sleep-hygiene",
    "/api/v1/articles/{article_id}": "/api/v1/articles/sleep-hygiene",
    "/articles/{article_id}": "/articles/sleep-hygiene",
    "/cite": "/cite?article=sleep-hygiene",
    "/static/{version}/{name}": "/static/0/style.css",
}
CHANGES = ("date", "x-request-id")
TIMED = (*CHANGES, "content-length")
"""Answers to questions say how long they took."""


def paths_with_get(app: FastAPI) -> list[str]:
    return sorted(
        {
            context.path
            for context in iter_route_contexts(app.routes)
            if isinstance(context.original_route, APIRoute) and "GET" in context.methods
        }
    )


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_every_route_with_get_answers_head_with_the_same_status_and_headers(
    client: TestClient, coding: str
) -> None:
    paths = paths_with_get(client.app)  # type: ignore[arg-type]
    assert len(paths) > 18
    for path in paths:
        address = ADDRESSES.get(path, path)
        accept = {"Accept-Encoding": coding}
        got, head = (client.request(each, address, headers=accept) for each in ("GET", "HEAD"))
        assert head.status_code == got.status_code, path
        assert head.content == b"", path
        left_out = TIMED if "timings" in got.text else CHANGES
        if path in ("/metrics", "/api/v1/status"):
            left_out = TIMED  # numbers that change
        one, other = (
            {name: value for name, value in answer.headers.items() if name not in left_out}
            for answer in (got, head)
        )
        assert one == other, path
        if got.headers.get("content-encoding") != "gzip":
            assert int(got.headers["content-length"]) == len(got.content), path
        assert "content-length" in head.headers, path


def test_a_head_that_holds_the_article_already_is_told_so(client: TestClient) -> None:
    for path in ("/api/v1/articles/sleep-hygiene", "/api/v1/articles", "/kb-search.js"):
        tag = client.head(path).headers["etag"]
        held = client.head(path, headers={"If-None-Match": tag})
        assert (held.status_code, held.headers["etag"]) == (304, tag)


def test_head_of_what_is_not_there_or_not_valid_is_refused_as_get_is(client: TestClient) -> None:
    for path, status in (
        ("/api/v1/articles/nope", 404),
        ("/nope", 404),
        ("/api/v1/search", 422),
        ("/api/v1/tasks", 403),
        ("/api/v1/search/batch", 405),
    ):
        got, head = client.get(path), client.head(path)
        assert (head.status_code, got.status_code) == (status, status)
        assert head.headers["content-length"] == str(len(got.content))


def test_head_asks_the_index_once_as_get_does(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    answer = KnowledgeBase.answer

    def counted(self: KnowledgeBase, request: SearchRequest) -> Any:
        asked.append(request.question)
        return answer(self, request)

    monkeypatch.setattr(KnowledgeBase, "answer", counted)
    assert client.head("/api/v1/search", params={"q": QUESTION}).status_code == 200
    assert asked == [QUESTION]


def test_the_methods_of_an_address_are_named_with_head_beside_get(client: TestClient) -> None:
    for path, allowed in (
        ("/", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/api/v1/search", "GET, HEAD, POST"),
        ("/api/v1/search/batch", "POST"),
        ("/static/0/style.css", "GET, HEAD"),
    ):
        for method in ("PATCH", "OPTIONS", "TRACE"):
            refused = client.request(method, path)
            assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


@contextmanager
def connected(url: str) -> Iterator[HTTPConnection]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        yield connection
    finally:
        connection.close()


def test_head_of_events_that_go_on_ends_at_once_and_leaves_the_connection_as_it_was(
    index_copy: Path, listening: Callable[..., AbstractContextManager[str]]
) -> None:
    key = KeyRing(keys_file(index_copy)).add("test", ("articles",))[1]
    headers = {"Authorization": f"Bearer {key}"}
    store = TaskStore(index_copy)
    # Nobody gets to work at the task, so that its events go on.
    with store.working(), listening(index_copy) as url, connected(url) as connection:
        task = store.add("20990101T000000Z-0000000000000000", RebuildRequest(), owner="test")
        path = f"/api/v1/tasks/{task.id}/events"
        for last_event in ("", str(task.version)):
            began = time.monotonic()
            connection.request("HEAD", path, headers=headers | {"Last-Event-ID": last_event})
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"")
            assert answer.headers.get_content_type() == "text/event-stream"
            assert time.monotonic() - began < 10
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200


def test_a_stream_is_left_once_its_headers_are_known() -> None:
    made = []

    async def endless() -> Any:
        while True:
            made.append(1)
            yield b"more"
            await asyncio.sleep(0)

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_api_route("/", lambda: StreamingResponse(endless()), response_model=None)
    app.add_middleware(HeadAsGet)
    with TestClient(app) as client:
        assert client.head("/").status_code == 200
    assert len(made) < 3


def test_the_log_says_that_it_was_head(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="search_api.access")
    with TestClient(create_app(settings)) as client:
        client.head("/api/v1/articles")
    assert re.match(r"HEAD /api/v1/articles 200 ", caplog.records[-1].getMessage())

"""What a client may keep, and how answers travel."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from starlette.responses import StreamingResponse

from search_api.middleware.caching import with_caching
from support.questions import QUESTION

ARTICLE = "/api/v1/articles/sleep-starts-hypnic-jerks"
PLAIN, GZIP = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}


@pytest.mark.parametrize("path", [ARTICLE, "/api/v1/articles", "/openapi.json"])
@pytest.mark.parametrize("coding", [PLAIN, GZIP])
def test_what_may_be_kept_is_sent_once_and_then_only_confirmed(
    client: TestClient, path: str, coding: dict[str, str]
) -> None:
    first = client.get(path, headers=coding)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert client.get(path, headers=coding).headers["etag"] == tag
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        second = client.get(path, headers={**coding, "If-None-Match": known})
        assert (second.status_code, second.content) == (304, b""), known
        assert second.headers["cache-control"] == "private, no-cache"
        assert "content-encoding" not in second.headers
    assert second.headers["x-request-id"]
    changed = client.get(path, headers={**coding, "If-None-Match": '"other"'})
    assert (changed.status_code, changed.json()) == (200, first.json())


def test_an_etag_names_the_bytes_that_travel_and_a_304_the_one_that_is_kept(
    client: TestClient,
) -> None:
    plain, compressed = (client.get(ARTICLE, headers=coding) for coding in (PLAIN, GZIP))
    assert plain.content == compressed.content
    assert compressed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in compressed.headers["vary"].lower()
    assert compressed.headers["etag"] == f'{plain.headers["etag"][:-1]}-gzip"'
    for response in (plain, compressed):
        tag = response.headers["etag"]
        again = client.get(ARTICLE, headers={**GZIP, "If-None-Match": tag})
        assert (again.status_code, again.headers["etag"]) == (304, tag)


def test_answers_and_errors_are_kept_by_nobody_and_have_no_etag(client: TestClient) -> None:
    for response in (
        client.post("/api/v1/search", json={"question": QUESTION}),
        client.get("/api/v1/search", params={"q": QUESTION}, headers={"If-None-Match": "*"}),
        client.get("/api/v1/suggest", params={"q": "sleep"}),
        client.get("/api/v1/related", params={"article": "sleep-hygiene"}),
        client.post("/api/v1/search/batch", json={"searches": [{"question": QUESTION}]}),
        client.get("/api/v1/articles/nope"),
        client.get("/api/v1/articles", params={"limit": 0}),
    ):
        assert response.status_code != 304
        assert response.headers["cache-control"] == "no-store"
        assert "etag" not in response.headers


def test_long_answers_travel_compressed_where_the_client_can_and_short_ones_as_they_are(
    client: TestClient,
) -> None:
    body = {"question": QUESTION, "limit": 20}
    plain = client.post("/api/v1/search", json=body, headers=PLAIN)
    compressed = client.post("/api/v1/search", json=body, headers=GZIP)
    assert "content-encoding" not in plain.headers
    assert compressed.headers["content-encoding"] == "gzip"
    assert int(compressed.headers["content-length"]) < len(plain.content) / 3
    assert compressed.json()["results"] == plain.json()["results"]
    assert "content-encoding" not in client.get("/healthz", headers=GZIP).headers


@pytest.fixture
def routes() -> Iterator[TestClient]:
    """Routes that name their own content."""
    app = FastAPI()
    app.add_middleware(with_caching)

    @app.get("/own")
    def own() -> Response:
        return Response("x" * 5000, headers={"ETag": '"v1"'})

    @app.put("/own")
    def put(request: Request) -> str:
        return request.headers["if-match"]

    @app.get("/stream")
    def stream() -> Response:
        kept = {"Cache-Control": "no-cache"}
        return StreamingResponse(iter([b"a" * 2000, b"b"]), headers=kept)

    with TestClient(app) as client:
        yield client


def test_a_routes_own_etag_stays_and_comes_back_to_it_as_it_was(routes: TestClient) -> None:
    tag = routes.get("/own", headers=GZIP).headers["etag"]
    assert tag == '"v1-gzip"'
    assert routes.get("/own", headers={**GZIP, "If-None-Match": tag}).status_code == 304
    assert routes.get("/own", headers=PLAIN).headers["etag"] == '"v1"'
    for given, seen in ((tag, '"v1"'), ('"v1"', '"v1"'), (f'"a", {tag}', '"a", "v1"'), ("*", "*")):
        assert routes.put("/own", headers={"If-Match": given}).json() == seen


def test_what_is_streamed_goes_through_as_it_comes(routes: TestClient) -> None:
    for coding in (PLAIN, GZIP):
        response = routes.get("/stream", headers={**coding, "If-None-Match": "*"})
        assert (response.status_code, response.content) == (200, b"a" * 2000 + b"b")
        assert "etag" not in response.headers


def test_compressed_bytes_are_gzip(client: TestClient) -> None:
    with client.stream("GET", ARTICLE, headers=GZIP) as response:
        raw = b"".join(response.iter_raw())
    assert gzip.decompress(raw) == client.get(ARTICLE, headers=PLAIN).content

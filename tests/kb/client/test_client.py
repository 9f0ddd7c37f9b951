"""kb.client: against the real service, and against servers that misbehave"""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kb.client import (
    ArticleNotFound,
    AsyncClient,
    Client,
    DeadlineExceeded,
    KeyRefused,
    Question,
    RequestRefused,
    RetryPolicy,
    SearchOptions,
    ServiceUnavailable,
    UnexpectedAnswer,
    Unreachable,
)
from kb.knowledge_base import KnowledgeBase
from kb.schema import service
from kb.schema.errors import InvalidRequest
from kb.schema.results import RelatedResponse, SearchResponse
from kb.schema.service import ArticleList, Health, SuggestionList
from search_api.service.app import create_app
from search_api.state.settings import load_settings
from support.ports import free_port
from support.questions import QUESTION
from tests.kb.client.conftest import Ask, Scripted, answer

CANARY = "quetzalcoatlus"
LISTED = answer(200, b'{"total": 0, "articles": []}', "Content-Type: application/json")


@pytest.mark.parametrize(
    ("question", "options"),
    [
        (QUESTION, {"limit": 3}),
        (QUESTION, {"limit": 2, "offset": 2, "tag": "sleep", "facets": True, "exact": True}),
        ("crushing chest pain", {"tag": None}),
        (QUESTION, {"mode": "dense", "group_by": "article", "explain": True}),
        (QUESTION, {"topic": "sleep", "language": "en", "updated_since": "2026-01-01"}),
        (QUESTION, {"topic": {"sleep", "nerves", "-children"}, "language": ("en", "-en-US")}),
        ("how do I file a tax return", {}),
        ("hypnik jerks 😴 \u202e é", {}),
    ],
)
def test_a_search_gives_what_the_knowledge_base_gives(
    ask: Ask, service_url: str, knowledge_base: KnowledgeBase, question: str, options: SearchOptions
) -> None:
    told = ask(service_url, "search", question, **options)
    expected = knowledge_base.search(question, **options)
    assert replace(told, timings={}) == replace(expected, timings={})
    assert told.timings.keys() == expected.timings.keys()


def test_articles_and_their_list_are_those_of_the_knowledge_base(
    ask: Ask, service_url: str, knowledge_base: KnowledgeBase
) -> None:
    page = ask(service_url, "articles", limit=3, offset=1)
    assert page == ArticleList(
        knowledge_base.article_count, tuple(knowledge_base.articles(limit=3, offset=1))
    )
    article_id = page.articles[0].id
    assert ask(service_url, "article", article_id) == knowledge_base.article(article_id)


def test_a_batch_gives_what_each_search_gives(
    ask: Ask, service_url: str, knowledge_base: KnowledgeBase
) -> None:
    searches: list[Question] = [
        {"question": QUESTION, "limit": 2},
        {"question": "how do I file a tax return", "topic": None, "source": ()},
    ]
    told = ask(service_url, "search_batch", searches)
    assert [replace(each, timings={}) for each in told.answers] == [
        replace(knowledge_base.search(QUESTION, 2), timings={}),
        replace(knowledge_base.search("how do I file a tax return"), timings={}),
    ]
    with pytest.raises(RequestRefused, match="limit is 0") as caught:
        ask(service_url, "search_batch", [*searches, {"question": CANARY, "limit": 0}])
    assert caught.value.field == "searches.2.limit"


def test_what_is_related_is_what_the_knowledge_base_finds(
    ask: Ask, service_url: str, knowledge_base: KnowledgeBase
) -> None:
    citation = knowledge_base.search(QUESTION, 1).results[0].citation
    for place in [
        (citation.article_id,),
        (citation.article_id, citation.section_id, citation.start),
    ]:
        told = ask(service_url, "related", *place, limit=3)
        assert told.results == knowledge_base.related(*place, limit=3).results
    with pytest.raises(ArticleNotFound):
        ask(service_url, "related", "no-such-article")


def test_a_page_of_a_generation_that_is_gone_is_refused(ask: Ask, service_url: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        ask(service_url, "search", QUESTION, generation="20200101T000000000000Z-0123456789abcdef")
    assert caught.value.status == 409


def test_suggestions_and_health_are_those_of_the_service(
    ask: Ask, service_url: str, knowledge_base: KnowledgeBase
) -> None:
    told = ask(service_url, "suggest", "hypn", limit=2)
    assert told == SuggestionList(
        knowledge_base.suggest("hypn", 2), knowledge_base.generation, told.timings
    )
    health = ask(service_url, "health")
    assert isinstance(health, Health)
    assert (health.status, health.generation) == ("ok", knowledge_base.generation)


def test_a_refusal_names_the_field_and_never_the_question(ask: Ask, service_url: str) -> None:
    with pytest.raises(RequestRefused, match="limit is 500") as caught:
        ask(service_url, "search", CANARY, limit=500)
    assert (caught.value.field, caught.value.status, caught.value.kind) == (
        "limit",
        422,
        "invalid-request",
    )
    with pytest.raises(RequestRefused) as caught:
        ask(service_url, "search", f"{CANARY} " * 1000)
    assert caught.value.field == "question"
    assert CANARY not in repr([str(caught.value), vars(caught.value)])


@pytest.mark.parametrize("article_id", ["no-such-article", "a/b?c#d", "../../healthz", "é 😴"])
def test_a_missing_article_is_not_found(ask: Ask, service_url: str, article_id: str) -> None:
    with pytest.raises(ArticleNotFound, match="no article"):
        ask(service_url, "article", article_id)


def test_a_service_without_an_index_is_unavailable(ask: Ask, scripted: Scripted) -> None:
    body = json.dumps({"type": "/docs#index-unavailable", "detail": "There is no index yet."})
    scripted.answers = [
        answer(503, body.encode(), "Content-Type: application/problem+json", "Retry-After: 99")
    ]
    with pytest.raises(ServiceUnavailable, match="no index yet") as caught:
        ask(scripted.url, "search", QUESTION)
    assert (caught.value.kind, caught.value.retry_after_s) == ("index-unavailable", 99)
    assert len(scripted.requests) == 1, "99 seconds are more than the deadline"


def test_what_may_pass_is_asked_again_and_the_question_stays_in_the_body(
    ask: Ask, scripted: Scripted
) -> None:
    busy = answer(429, b"", "Retry-After: 0")
    scripted.answers = [None, busy, busy[:20], LISTED]
    assert ask(scripted.url + "/kb/", "articles") == ArticleList(0, ())
    assert len(scripted.requests) == 4
    assert scripted.requests[0].startswith(b"GET /kb/api/v1/articles?limit=100&offset=0 ")

    scripted.requests.clear()
    scripted.answers = [None, answer(422)]
    with pytest.raises(RequestRefused):
        ask(scripted.url, "search", f"my {CANARY}")
    assert len(scripted.requests) == 2
    for request in scripted.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /api/v1/search HTTP/1.1")
        assert CANARY.encode() not in head
        assert json.loads(body) == {"question": f"my {CANARY}"}


def test_a_key_is_sent_and_never_shown(ask: Ask, scripted: Scripted) -> None:
    scripted.answers = [answer(401)]
    with pytest.raises(KeyRefused):
        ask(scripted.url, "articles", client={"api_key": "kb_secret"})
    assert b"\r\nauthorization: bearer kb_secret\r\n" in scripted.requests[0].lower()
    with Client("https://kb.example.org", api_key="kb_secret") as client:
        assert repr(client) == "Client('https://kb.example.org')"


def test_a_redirection_is_not_followed(ask: Ask, scripted: Scripted) -> None:
    scripted.answers = [answer(307, b"", f"Location: {scripted.url}/elsewhere")]
    with pytest.raises(UnexpectedAnswer, match="redirection"):
        ask(scripted.url, "search", QUESTION)
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    "told",
    [
        answer(200, b"<html>", "Content-Type: text/html"),
        answer(200, b'{"total": "many", "articles": []}'),
        answer(200, b"[]"),
        answer(200, b"\x1f", "Content-Encoding: gzip"),
    ],
)
def test_what_is_no_answer_of_the_service_is_told_as_that(
    ask: Ask, scripted: Scripted, told: bytes
) -> None:
    scripted.answers = [told]
    with pytest.raises((UnexpectedAnswer, Unreachable), match="Is this the address of the service"):
        ask(scripted.url, "articles")
    assert len(scripted.requests) == 1


def test_an_unexpected_answer_repeats_no_word_of_the_question(ask: Ask, scripted: Scripted) -> None:
    wrong = {"question": CANARY, "timings": {CANARY: CANARY}, CANARY: CANARY}
    scripted.answers = [answer(200, json.dumps(wrong).encode())]
    with pytest.raises(UnexpectedAnswer, match="SearchResponse") as caught:
        ask(scripted.url, "search", CANARY)
    assert CANARY not in repr([str(caught.value), vars(caught.value)])


def test_fields_that_a_newer_service_adds_are_passed_over(ask: Ask, scripted: Scripted) -> None:
    scripted.answers = [answer(200, b'{"total": 0, "articles": [], "new": {"a": 1}}')]
    assert ask(scripted.url, "articles") == ArticleList(0, ())


def test_an_answer_that_comes_in_drops_is_given_up_at_the_deadline(
    ask: Ask, scripted: Scripted
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    scripted.answers = [(head, b" ")]
    with pytest.raises(DeadlineExceeded):
        ask(scripted.url, "articles", client={"retry": RetryPolicy(deadline_s=0.2)})
    assert len(scripted.requests) == 1


def test_a_service_that_says_nothing_is_given_up_at_the_deadline(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DeadlineExceeded):
            ask(url, "articles", client={"retry": RetryPolicy(deadline_s=0.2)})


def test_where_nothing_listens_it_is_unreachable_and_no_library_of_http_shows(ask: Ask) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match=f"no connection to {url}") as caught:
        ask(url, "search", CANARY)
    # httpx's errors hold the request, and the request holds the question.
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_certificate_that_is_not_trusted_is_told_as_that(ask: Ask, scripted: Scripted) -> None:
    class Untrusted(ssl.SSLCertVerificationError):
        pass

    import httpx2

    def refuse(_: object) -> Any:
        raise httpx2.ConnectError("certificate verify failed") from Untrusted()

    async def refuse_async(_: object) -> Any:
        refuse(_)

    class Transport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
        handle_request = staticmethod(refuse)  # type: ignore[assignment]
        handle_async_request = staticmethod(refuse_async)  # type: ignore[assignment]

    with pytest.raises(Unreachable, match="certificate"):
        ask("https://127.0.0.1:1", "articles", client={"transport": Transport()})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "kb.example.org",
        "ftp://kb.example.org",
        "https://",
        "https://me:pw@kb.example.org",
        "https://a/?q=b",
        "https://a/#b",
    ],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_address_that_is_none_is_refused_without_its_password(kind: Any, url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        kind(url)
    assert caught.value.field == "url"
    assert "pw" not in str(caught.value)


def test_no_log_of_the_http_library_holds_what_was_asked(
    ask: Ask, service_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ask(service_url, "search", f"my {CANARY} hurts")
    ask(service_url, "suggest", f"my {CANARY}")
    with pytest.raises(RequestRefused):
        ask(service_url, "suggest", CANARY, limit=0)
    # The service runs in the same process; what its server may log is tests/search_api's to hold.
    log = "\n".join(
        logging.Formatter().format(record)
        for record in caplog.records
        if not record.name.startswith("uvicorn")
    )
    assert re.search(r"HTTP Request: POST \S+/api/v1/suggest ", log)
    assert CANARY not in log


def test_the_methods_and_types_are_those_of_the_api(tmp_path: Path) -> None:
    schemas = create_app(load_settings(index=tmp_path)).openapi()["components"]["schemas"]
    options = set(SearchOptions.__annotations__)
    assert options | {"question", "q"} == set(schemas["SearchRequest"]["properties"])
    assert set(Question.__annotations__) == {"question", *options}
    shapes = [kind for kind in vars(service).values() if is_dataclass(kind)]
    assert len(shapes) > 10
    for kind in (RelatedResponse, SearchResponse, *shapes):
        assert {field.name for field in fields(kind)} == set(schemas[kind.__name__]["properties"])


def test_the_documented_example_runs(service_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "client.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    exec(example.replace("http://127.0.0.1:8000", service_url))
    assert capsys.readouterr().out.startswith("Sleep Starts (Hypnic Jerks) › ")


def test_a_client_loads_nothing_of_the_engine() -> None:
    script = "import sys, kb.client; print(sorted({'numpy', 'onnxruntime', 'whoosh', 'fastapi'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

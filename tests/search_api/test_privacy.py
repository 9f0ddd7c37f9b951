"""Questions are health data: no byte of one in anything that is written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace

from kb import KnowledgeBase
from kb.errors import InvalidRequest

CANARY = "quetzalcoatlus"
JSON = {"Content-Type": "application/json"}


def ask_in_every_way(client: TestClient) -> Iterator[int]:
    question = f"my {CANARY} hurts"
    answers = [
        client.post("/api/v1/search", json={"question": question}),
        client.get("/api/v1/search", params={"q": question}),
        client.get("/", params={"q": question}, headers={"Accept": "text/html"}),
        client.get("/", params={"q": question + "x" * 4000}, headers={"Accept": "text/html"}),
        client.post("/api/v1/search", json={"question": question * 500}),
        client.post("/api/v1/search", json={"question": question, "limit": 0}),
        client.post("/api/v1/search", json={"question": [question], question: 1}),
        client.post("/api/v1/search", content=f'{{"question": "{question}'.encode(), headers=JSON),
        client.post("/api/v1/search", content=question.encode()),
        client.post("/api/v1/search", content=question.encode() * 9000, headers=JSON),
        client.get("/api/v1/articles", params={question: "1", "limit": question}),
        client.get("/api/v1/suggest", params={"q": question}),
        client.get("/api/v1/suggest", params={"q": question * 500}),
        client.get("/api/v1/suggest", params={"q": question, "limit": question, question: "1"}),
        client.get("/articles/nope", params={"q": question, "section": question}),
        client.post("/answers", data={"q": question}),
        client.post("/answers", data={"q": question * 500}),
        client.post("/found", data={"article": "sleep-hygiene", "find": question}),
        client.get("/articles/sleep-hygiene", params={"find": question}),
        client.get("/cite", params={"article": "sleep-hygiene", "section": question}),
        client.request("DELETE", "/api/v1/search", params={"q": question}),
        client.get("/nope", params={"q": question}),
    ]
    yield from (answer.status_code for answer in answers)


def written(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> str:
    # The test's own HTTP client logs the addresses it opens; it is no part of the service.
    lines = [
        logging.Formatter().format(record)
        for record in caplog.records
        if not record.name.startswith(("httpx", "httpcore"))
    ]
    return "\n".join([*lines, *capfd.readouterr()])


def test_no_question_is_written_for_successes_and_refusals(
    client: TestClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    statuses = list(ask_in_every_way(client))
    log = written(caplog, capfd)
    assert set(statuses) == {200, 400, 404, 405, 413, 415, 422}
    assert CANARY not in log
    assert "POST /api/v1/search 200 " in log
    assert "GET /api/v1/search 200 " in log
    assert "?" not in "".join(line for line in log.splitlines() if " /api" in line)


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, OSError])
def test_no_question_is_written_when_the_service_itself_fails(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    kind: type[Exception],
) -> None:
    def fail(_: object, question: str, *__: object, **___: object) -> None:
        try:
            raise ValueError(question)
        except ValueError as error:
            raise kind(question) from error

    monkeypatch.setattr(KnowledgeBase, "search", fail)
    caplog.set_level(logging.DEBUG)
    statuses = list(ask_in_every_way(client))
    log = written(caplog, capfd)
    assert 500 in statuses
    assert CANARY not in log
    assert f"failed: {kind.__name__} at " in log
    assert "caused by ValueError at " in log
    assert f"{Path(__file__).parent.name}/{Path(__file__).name}:" in log


def test_the_log_holds_the_route_and_nothing_of_the_path(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.get("/articles/a%0DERROR%20forged")
    client.get("/articles/a%0AERROR%20forged")
    client.get("/why-do-my-legs-jerk")
    client.request("WHY", "/")
    lines = [r.getMessage() for r in caplog.records if r.name == "search_api.access"]
    starts = [line.rpartition(" ms ")[0].rpartition(" ")[0] for line in lines]
    assert starts == [
        "GET /articles/{article_id} 404",
        "GET - 404",
        "GET - 404",
        "OTHER / 405",
    ]


def test_the_framework_reports_to_no_telemetry(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastAPI would put the query string into a span of any provider that is installed."""
    spans: list[object] = []

    class Tracer(trace.NoOpTracer):
        def start_span(self, *args: object, **kwargs: object) -> trace.Span:
            spans.append((args, kwargs))
            return trace.INVALID_SPAN

    class Provider(trace.TracerProvider):
        def get_tracer(self, *_: object, **__: object) -> trace.Tracer:
            return Tracer()

    monkeypatch.setattr(trace, "get_tracer_provider", Provider)
    list(ask_in_every_way(client))
    assert spans == []


def test_the_domain_never_repeats_a_question(knowledge_base: KnowledgeBase) -> None:
    with pytest.raises(InvalidRequest) as caught:
        knowledge_base.search(CANARY * 1000)
    assert CANARY not in str(caught.value)

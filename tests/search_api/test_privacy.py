"""Questions are health data: no byte of one in anything that is written."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace

from kb import KnowledgeBase
from kb.reporting.logs import JsonFormatter, TextFormatter, report_without_messages
from kb.schema.errors import InvalidRequest
from kb.schema.search_request import SearchRequest
from search_api.service.app import create_app
from search_api.state.settings import load_settings

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
        client.post("/api/v1/suggest", json={"text": question}),
        client.post("/api/v1/suggest", json={"text": question * 500, question: 1}),
        client.post("/api/v1/suggest", json={"text": [question], "limit": question}),
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
    def fail(_: object, request: SearchRequest) -> None:
        try:
            raise ValueError(request.question)
        except ValueError as error:
            raise kind(request.question) from error

    monkeypatch.setattr(KnowledgeBase, "answer", fail)
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


class Collector(BaseHTTPRequestHandler):
    """A collector of traces: keeps what it is sent, as it comes."""

    received: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append((self.path + str(self.headers), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: this is no part of the service."""


@pytest.fixture
def collector() -> Iterator[str]:
    Collector.received.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def written_to(folder: Path) -> dict[Path, int]:
    """Each file and when it was last written to."""
    # SQLite's two files beside an open database come and go with whoever has it open.
    return {
        file: file.stat().st_mtime_ns
        for file in folder.rglob("*")
        if file.is_file() and not file.name.endswith(("-shm", "-wal"))
    }


def canary_headers() -> dict[str, str]:
    return {
        "X-Request-ID": CANARY,
        "User-Agent": CANARY,
        "Referer": f"http://testserver/?q={CANARY}",
        "Cookie": f"q={CANARY}",
        "X-Forwarded-For": CANARY,
        "traceparent": f"00-{'4' * 32}-{'5' * 16}-01",
        "tracestate": f"kb={CANARY}",
        "baggage": f"q={CANARY}",
    }


@pytest.mark.parametrize("fails", [False, True])
def test_no_question_is_in_anything_that_leaves_the_service(
    index_path: Path,
    tmp_path: Path,
    collector: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    fails: bool,
) -> None:
    """Logs as text and as JSON, metrics, traces as a collector gets them, files, stdout, stderr; however one asks."""

    def fail(_: object, request: SearchRequest) -> None:
        raise RuntimeError(request.question)

    if fails:
        monkeypatch.setattr(KnowledgeBase, "answer", fail)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    caplog.set_level(logging.DEBUG)
    settings = load_settings(
        index=index_path,
        otlp_endpoint=collector,
        trusted_proxies="127.0.0.1",
        deadline_s=30,
        rate_limit=0.001,
        rate_burst=18,
    )
    with TestClient(
        create_app(settings),
        client=("127.0.0.1", 1),
        headers={"X-Forwarded-For": "127.0.0.1"},
        raise_server_exceptions=False,
    ) as client:
        before = written_to(index_path)
        statuses = list(ask_in_every_way(client))
        client.headers.update(canary_headers())
        statuses += ask_in_every_way(client)
        statuses += [client.get(f"/{CANARY}", headers={"Host": f"{CANARY} b"}).status_code]
        statuses += [client.request(CANARY, f"/articles/{CANARY}").status_code]
        del client.headers["X-Forwarded-For"]
        metrics = client.get("/metrics")
        assert metrics.status_code == 200
    assert {429, 413, 404, 422, 400} <= set(statuses)
    assert (500 in statuses) == fails
    assert CANARY not in metrics.text
    records = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    lines = [form.format(r) for r in records for form in (TextFormatter(), JsonFormatter())]
    assert CANARY not in "\n".join([*lines, *capfd.readouterr()])
    assert len(records) > 40
    sent = b"".join(head.encode() + body for head, body in Collector.received)
    assert b"/api/v1/search" in sent, "spans did arrive"
    assert bytes.fromhex("4" * 32) in sent, "and the trace that the client began goes on"
    assert fails or b"encode" in sent
    assert CANARY.encode() not in sent
    assert list(tmp_path.rglob("*")) == [], "no file is written"
    assert written_to(index_path) == before


def test_the_query_log_is_written_only_where_it_was_turned_on(
    index_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = tmp_path / "questions"
    with TestClient(create_app(load_settings(index=index_path, query_log=folder))) as client:
        client.get("/api/v1/search", params={"q": f"my {CANARY} hurts"})
        client.post("/answers", data={"q": "legs"})
        client.post("/api/v1/search", json={"question": "legs", "limit": 0})
        assert (
            "keeps questions for 30 days"
            in client.get("/openapi.json").json()["info"]["description"]
        )
    (file,) = folder.iterdir()
    kept = [json.loads(line)["question"] for line in file.read_text().splitlines()]
    assert kept == [f"my {CANARY} hurts", "legs"]
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    assert any("questions are logged to" in line for line in ours), (
        "its operator is told at each start"
    )
    assert CANARY not in "".join(ours)


@pytest.mark.slow
def test_a_fault_of_the_event_loop_is_told_without_its_message(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async def fail() -> None:
            raise RuntimeError(CANARY)

        asyncio.get_running_loop().set_exception_handler(report_without_messages)
        task = asyncio.create_task(fail())
        await asyncio.sleep(0.01)
        del task
        gc.collect()

    asyncio.run(scenario())
    assert "the event loop met a fault: RuntimeError at " in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("form", [TextFormatter(), JsonFormatter()])
def test_a_librarys_exception_is_logged_without_its_message(form: logging.Formatter) -> None:
    try:
        raise RuntimeError(CANARY) from ValueError(CANARY)
    except RuntimeError:
        error = sys.exc_info()
    record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "it failed", (), error)
    line = form.format(record)
    assert "RuntimeError at " in line
    assert "caused by ValueError" in line
    assert CANARY not in line


def test_a_line_in_json_bears_the_requests_id(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[dict[str, object]] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(json.loads(JsonFormatter().format(record)))  # type: ignore[method-assign]
    caplog.set_level(logging.INFO)
    logging.getLogger("search_api").addHandler(handler)
    try:
        answer = client.get("/api/v1/articles", params={"limit": 1})
    finally:
        logging.getLogger("search_api").removeHandler(handler)
    (line,) = lines
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/articles", 200)
    assert {"time", "level", "logger", "message", "ms"} <= line.keys()


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

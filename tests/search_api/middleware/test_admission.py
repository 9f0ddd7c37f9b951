"""Limits: what is let in, what waits, what is turned away, and how long anybody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb.knowledge_base import KnowledgeBase
from search_api.http.parts import part
from search_api.middleware.admission_queue import AdmissionQueue
from search_api.service.app import create_app
from search_api.state.settings import load_settings
from support.waiting import until

ASK = {"method": "GET", "url": "/api/v1/search?q=legs"}


class Gate:
    """Holds every question until it is opened."""

    def __init__(self, search: Callable[..., Any]) -> None:
        self.then = search
        self._open = threading.Event()
        self.inside = 0
        self.most = 0
        self._lock = threading.Lock()

    def search(self, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        try:
            assert self._open.wait(60)
        finally:
            with self._lock:
                self.inside -= 1
        return self.then(*args, **kwargs)

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._open.clear()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    original = KnowledgeBase.answer
    made = Gate(original)

    def answer(self: KnowledgeBase, *args: Any, **kwargs: Any) -> Any:
        return made.search(self, *args, **kwargs)

    monkeypatch.setattr(KnowledgeBase, "answer", answer)
    yield made
    made.open()


@contextmanager
def service(index: Path, **settings: Any) -> Iterator[TestClient]:
    with TestClient(create_app(load_settings(index=index, **settings))) as client:
        yield client


def kind(response: Any) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, response.json()["type"].rpartition("#")[2]


def test_beyond_places_and_line_questions_are_shed_while_health_answers(
    index_path: Path, gate: Gate
) -> None:
    with (
        service(index_path, max_concurrent=2, max_waiting=3, deadline_s=60) as client,
        ThreadPoolExecutor(16) as pool,
    ):
        queue = part(client.app, AdmissionQueue)  # type: ignore[arg-type]
        admitted: list[Future[Any]] = []
        for number in range(1, 6):
            admitted.append(pool.submit(client.request, **ASK))
            until(lambda number=number: queue.active + queue.waiting == number)  # type: ignore[misc]
        assert (queue.active, queue.waiting) == (2, 3)
        for request in (
            ASK,
            {"method": "POST", "url": "/api/v1/search", "json": {"question": "legs"}},
            {"method": "GET", "url": "/api/v1/articles"},
            {"method": "GET", "url": "/api/v1/suggest?q=le"},
        ):
            shed = client.request(**request)
            assert kind(shed) == (503, "overloaded")
            assert int(shed.headers["retry-after"]) >= 1
        page = client.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 503
        assert "Many people are asking just now" in page.text
        assert client.get("/healthz").status_code == 200
        assert client.get("/kb-search.js").status_code == 200
        busy = client.get("/readyz")
        assert kind(busy) == (503, "overloaded")
        assert busy.headers["retry-after"]
        gate.open()
        assert [answer.result().status_code for answer in admitted] == [200] * 5
        assert gate.most == 2
        assert client.get("/readyz").json()["at_work"] == 0
        assert (queue.active, queue.waiting) == (0, 0)


def test_the_deadline_bounds_what_a_client_waits_and_threads_do_not_pile_up(
    index_path: Path, gate: Gate
) -> None:
    with service(index_path, max_concurrent=2, max_waiting=50, deadline_s=0.3) as client:
        queue = part(client.app, AdmissionQueue)  # type: ignore[arg-type]
        threads = threading.active_count()
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: client.request(**ASK), range(20)))
        assert {kind(answer) for answer in answers} == {(503, "too-late"), (503, "overloaded")}
        assert all(answer.headers["retry-after"] for answer in answers)
        assert gate.most == 2
        assert queue.active == 2, "a place is held for as long as a thread works for it"
        assert threading.active_count() <= threads + 8
        gate.open()
        until(lambda: queue.active == 0)
        assert client.request(**ASK).status_code == 200


def test_a_request_that_fails_too_late_gives_its_place_back_and_tells_no_question(
    index_path: Path,
    gate: Gate,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("quetzalcoatlus")

    with service(index_path, max_concurrent=1, deadline_s=0.1) as client:
        queue = part(client.app, AdmissionQueue)  # type: ignore[arg-type]
        gate.then = fail
        answer = client.get("/api/v1/search?q=quetzalcoatlus")
        assert kind(answer) == (503, "too-late")
        gate.open()
        until(lambda: queue.active == 0)
        until(lambda: "failed after its deadline" in caplog.text)
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    assert "quetzalcoatlus" not in "".join(ours)
    assert "quetzalcoatlus" not in "".join(capfd.readouterr())


def test_one_client_above_its_rate_waits_and_others_do_not(index_path: Path) -> None:
    settings = {"rate_limit": 0.01, "rate_burst": 3, "trusted_proxies": "10.0.0.1"}
    app = create_app(load_settings(index=index_path, **settings))
    with TestClient(app, client=("10.0.0.1", 1)) as client:

        def ask(address: str) -> Any:
            return client.get("/api/v1/articles?limit=1", headers={"X-Forwarded-For": address})

        assert [ask("192.0.2.1").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = ask("192.0.2.1")
        assert kind(refused) == (429, "too-many-requests")
        assert 90 <= int(refused.headers["retry-after"]) <= 100
        assert ask("192.0.2.2").status_code == 200
        assert ask("203.0.113.9, 192.0.2.1").status_code == 429, "the nearest untrusted one counts"
        assert client.get("/healthz", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200


def test_forwarded_addresses_of_strangers_are_not_believed(index_path: Path) -> None:
    app = create_app(load_settings(index=index_path, rate_limit=0.01, rate_burst=1))
    with TestClient(app) as client:
        statuses = [
            client.get("/api/v1/articles", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code
            for n in range(3)
        ]
    assert statuses == [200, 429, 429]


def test_the_scheme_is_believed_of_trusted_proxies_alone(index_path: Path) -> None:
    headers = {"X-Forwarded-Proto": "https", "Host": "kb.example.org"}
    for proxies, scheme in (("10.0.0.0/8", "https"), ("10.1.0.0/16", "http")):
        app = create_app(load_settings(index=index_path, trusted_proxies=proxies))
        with TestClient(app, client=("10.0.0.1", 1)) as client:
            assert f"{scheme}://kb.example.org" in client.get("/demo", headers=headers).text


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("kb.example.org", (200, "")),
        ("evil.example", (421, "misdirected-request")),
        ("a b", (400, "unreadable-request")),
        ("kb.example.org@evil.example", (400, "unreadable-request")),
    ],
)
def test_a_host_that_is_malformed_or_not_trusted_is_refused(
    index_path: Path, host: str, expected: tuple[int, str]
) -> None:
    app = create_app(load_settings(index=index_path, trusted_hosts="kb.example.org"))
    with TestClient(app) as client:
        for path in ("/api/v1/articles", "/healthz", "/kb-search.js"):
            answer = client.get(path, headers={"Host": host})
            if expected[0] == 200:
                assert answer.status_code == 200
            else:
                assert kind(answer) == expected
                assert host not in answer.text


def test_an_answer_that_was_shed_can_be_read_by_a_page_of_another_site(index_path: Path) -> None:
    settings = {"rate_limit": 0.01, "rate_burst": 1, "allowed_origins": "https://a.example"}
    with service(index_path, **settings) as client:
        headers = {"Origin": "https://a.example"}
        answers = [client.get("/api/v1/articles", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["access-control-allow-origin"] == "https://a.example"


def test_articles_are_read_as_before(index_path: Path, knowledge_base: KnowledgeBase) -> None:
    with service(index_path, max_concurrent=1, max_waiting=64) as client:
        ids = [summary.id for summary in knowledge_base.articles()]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda i: client.get(f"/api/v1/articles/{i}").json()["id"], ids))
    assert found == ids

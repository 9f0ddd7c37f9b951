"""Numbers for Prometheus: what they count, who may read them, and that the dashboard reads those that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from search_api.service.app import create_app
from search_api.state.settings import load_settings
from support.places import ROOT

CANARY = "quetzalcoatlus"


@pytest.fixture
def service(index_path: Path) -> Iterator[TestClient]:
    settings = load_settings(index=index_path, rate_limit=0.001, rate_burst=12)
    with TestClient(create_app(settings), client=("127.0.0.1", 1)) as client:
        yield client


def numbers(client: TestClient) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert CANARY not in answer.text
    return {
        (
            sample.name,
            *(f"{name}={value}" for name, value in sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_questions_steps_and_refusals_are_counted(service: TestClient) -> None:
    search = {"q": f"my {CANARY} hurts"}
    took = [service.get("/api/v1/search", params=search).json()["timings"] for _ in range(3)]
    service.post("/api/v1/search", json={"question": "legs", "limit": 0})
    service.get(f"/articles/{CANARY}")
    service.get(f"/{CANARY}/{CANARY}")
    service.request(CANARY.upper(), "/")
    service.get("/articles/sleep-hygiene", params={"find": "sleep"})
    found = numbers(service)
    route = "route=/api/v1/search"
    assert found["kb_http_requests_total", "method=GET", route, "status=200"] == 3
    assert found["kb_http_requests_total", "method=POST", route, "status=422"] == 1
    unknown = ("method=GET", "route=/articles/{article_id}", "status=404")
    assert found["kb_http_requests_total", *unknown] == 1
    assert found["kb_http_requests_total", "method=GET", "route=-", "status=404"] == 1
    assert found["kb_http_requests_total", "method=OTHER", "route=/", "status=405"] == 1
    assert found["kb_http_request_duration_seconds_count", route] == 4
    assert sum(v for key, v in found.items() if key[0] == "kb_questions_total") == 4
    for step in took[0]:
        assert found["kb_question_step_seconds_count", f"step={step}"] == 4
        spent = sum(timings[step] for timings in took) / 1000
        assert found["kb_question_step_seconds_sum", f"step={step}"] >= spent
    while service.get("/api/v1/articles").status_code == 200:
        pass
    assert numbers(service)["kb_shed_total", "reason=rate"] == 1
    assert found["kb_shed_total", "reason=rate"] == 0
    assert found["kb_places",] == 4
    assert found["kb_worker_resident_bytes",] > 1e7
    assert found["kb_failures_total",] == 0


def test_the_index_that_answers_is_told(service: TestClient) -> None:
    health = service.get("/healthz").json()
    found = numbers(service)
    assert (found["kb_index_up",], found["kb_index_degraded",]) == (1, 0)
    (info,) = (key for key in found if key[0] == "kb_generation_info")
    assert f"generation={health['generation']}" in info
    assert f"model={health['model']}" in info
    for what in ("articles", "sections", "passages"):
        assert found[f"kb_{what}",] == health[what]


def test_without_an_index_there_are_numbers_too(tmp_path: Path) -> None:
    with TestClient(create_app(load_settings(index=tmp_path)), client=("127.0.0.1", 1)) as client:
        assert numbers(client)["kb_index_up",] == 0


@pytest.mark.parametrize(
    ("clients", "address", "status"),
    [
        ("127.0.0.0/8 ::1", "127.0.0.1", 200),
        ("127.0.0.0/8 ::1", "::ffff:127.0.0.1", 200),
        ("127.0.0.0/8 ::1", "::1", 200),
        ("127.0.0.0/8 ::1", "192.0.2.1", 404),
        ("127.0.0.0/8 ::1", "testclient", 404),
        ("10.0.0.0/8", "10.1.2.3", 200),
        ("10.0.0.0/8", "127.0.0.1", 404),
        ("", "127.0.0.1", 404),
    ],
)
def test_only_those_named_may_read_them(
    tmp_path: Path, clients: str, address: str, status: int
) -> None:
    app = create_app(load_settings(index=tmp_path, metrics_clients=clients))
    with TestClient(app, client=(address, 1)) as client:
        assert client.get("/metrics").status_code == status


def expressions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("expr", "query") and isinstance(inner, str):
                yield inner
            else:
                yield from expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from expressions(inner)


def test_the_dashboard_and_the_page_name_metrics_that_there_are(service: TestClient) -> None:
    service.get("/api/v1/search?q=legs")
    exist = {key[0] for key in numbers(service)}
    dashboard = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
    asked = set(re.findall(r"\bkb_\w+", " ".join(expressions(dashboard))))
    assert len(asked) > 15
    assert asked <= exist
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    families = {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in exist if name.startswith("kb_")
    }
    told = {re.sub(r"_(bucket|sum|count)$", "", n) for n in re.findall(r"\bkb_[a-z_]+", page)}
    assert told == families, "every metric stands in docs/operating.md, and no other"

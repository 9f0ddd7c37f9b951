"""search_api.middleware.cross_origin: named sites may ask the API, others and other addresses may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from search_api.service.app import create_app
from search_api.state.settings import load_settings

SITE = "https://clinic.example"
OTHERS = ["https://evil.example", "null", "http://clinic.example", f"{SITE}.evil.example", ""]
GRANT = "access-control-allow-origin"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


@pytest.fixture(scope="module")
def opened(index_path: Path) -> Iterator[TestClient]:
    settings = load_settings(index=index_path, allowed_origins=f"{SITE} http://localhost:1")
    with TestClient(create_app(settings)) as client:
        yield client


def test_a_named_site_may_ask_and_read_answers_and_problems(opened: TestClient) -> None:
    answer = opened.options("/api/v1/search", headers={"Origin": SITE, **PREFLIGHT})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[GRANT] == SITE
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "Content-Type"
    for question, status in (("leg cramps", 200), ("", 422)):
        answer = opened.post(
            "/api/v1/search", json={"question": question}, headers={"Origin": SITE}
        )
        assert (answer.status_code, answer.headers[GRANT]) == (status, SITE)
        assert "origin" in answer.headers["vary"].lower()
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", OTHERS)
def test_no_other_site_may(opened: TestClient, origin: str) -> None:
    answer = opened.options("/api/v1/search", headers={"Origin": origin, **PREFLIGHT})
    assert answer.status_code == 405
    assert GRANT not in answer.headers
    answer = opened.get("/api/v1/search?q=leg", headers={"Origin": origin})
    assert GRANT not in answer.headers
    assert "origin" in answer.headers["vary"].lower()


def test_pages_are_opened_to_nobody(opened: TestClient) -> None:
    for path in ("/", "/?q=leg", "/healthz", "/articles", "/apix"):
        answer = opened.get(path, headers={"Origin": SITE})
        assert GRANT not in answer.headers
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_without_the_setting_nobody_may_and_with_a_star_everybody(
    client: TestClient, index_path: Path
) -> None:
    headers = {"Origin": SITE}
    assert GRANT not in client.get("/api/v1/search?q=leg", headers=headers).headers
    settings = load_settings(index=index_path, allowed_origins="*")
    with TestClient(create_app(settings)) as everybody:
        assert everybody.get("/api/v1/search?q=leg", headers=headers).headers[GRANT] == "*"


def test_the_component_may_be_loaded_from_everywhere_and_is_asked_for_anew(
    client: TestClient,
) -> None:
    answer = client.get("/kb-search.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers[GRANT] == "*"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    again = client.get("/kb-search.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

"""Who may do what: every operation of the OpenAPI document with every kind of key, so that new ones are covered"""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kb.storage.keys import SCOPES, KeyRing
from search_api.service.app import create_app
from search_api.state.settings import Settings, load_settings

ALL = [found for count in (1, 2, 3) for found in combinations(SCOPES, count)]
PASSED = 418


def keys(folder: Path) -> dict[str, tuple[str, ...]]:
    """A key of each combination of scopes, by what is presented."""
    ring = KeyRing(folder / "keys.json")
    return {ring.add("test", scopes)[1]: scopes for scopes in ALL}


def wrong_headers(folder: Path, genuine: str) -> list[list[tuple[bytes, bytes]]]:
    """What is no key: none, malformed, revoked, of another service, two at once."""
    foreign = KeyRing(folder / "foreign.json").add("test", SCOPES)[1]
    ring = KeyRing(folder / "keys.json")
    revoked_key, revoked = ring.add("test", SCOPES)
    ring.revoke(revoked_key.id)
    values: list[str | bytes] = [
        "",
        "Bearer",
        "Bearer ",
        genuine,
        f"Basic {genuine}",
        f"Token {genuine}",
        f"Bearer {genuine[:-1]}",
        f"Bearer {genuine}x",
        f"Bearer {genuine} {genuine}",
        f"Bearer {genuine},{genuine}",
        f"Bearer {genuine.swapcase()}",
        f"Bearer {'k' * 30_000}",
        b"Bearer \xff\xfe\x80",
        f"Bearer {foreign}",
        f"Bearer {revoked}",
        f"Bearer {ring.all()[0].sha256}",
        f"Bearer {ring.all()[0].id}",
    ]
    headers = [[(b"authorization", v if isinstance(v, bytes) else v.encode())] for v in values]
    bearing = (b"authorization", f"Bearer {genuine}".encode())
    return [[], *headers, [bearing, bearing]]


@pytest.fixture
def stopped_behind_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request that the check lets through ends there with a status of its own: the matrix changes nothing."""

    async def teapot(_: object, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=PASSED)(scope, receive, send)

    monkeypatch.setattr(APIRoute, "handle", teapot)


def operations(settings: Settings) -> list[tuple[str, str, dict[str, Any]]]:
    document = create_app(settings).openapi()
    return [
        (method.upper(), re.sub(r"\{\w+\}", "x", path), operation)
        for path, found in document["paths"].items()
        for method, operation in found.items()
    ]


def scopes_of(operation: dict[str, Any]) -> set[str]:
    return {scope for each in operation["security"] for scope in each["key"]}


@pytest.mark.slow
@pytest.mark.parametrize("search_access", ["open", "key"])
def test_every_operation_with_every_kind_of_key(
    tmp_path: Path, stopped_behind_the_check: None, search_access: str
) -> None:
    settings = load_settings(
        index=tmp_path / "index", keys_file=tmp_path / "keys.json", search_access=search_access
    )
    presented = keys(tmp_path)
    genuine = next(key for key, scopes in presented.items() if scopes == SCOPES)
    wrong = wrong_headers(tmp_path, genuine)
    client = TestClient(create_app(settings))
    assert len(operations(settings)) >= 14
    for method, path, operation in operations(settings):
        needed = scopes_of(operation)
        for headers in wrong:
            response = client.request(method, path, headers=headers)
            assert response.status_code == (401 if needed else PASSED), (method, path, headers)
            if needed:
                assert response.headers["www-authenticate"].startswith("Bearer ")
                assert response.headers["content-type"] == "application/problem+json"
                assert genuine not in response.text
        for key, scopes in presented.items():
            for scheme in ("Bearer", "bearer"):
                headers = [(b"authorization", f"{scheme} {key}".encode())]
                response = client.request(method, path, headers=headers)
                allowed = not needed or bool(needed & set(scopes))
                assert response.status_code == (PASSED if allowed else 403), (method, path, scopes)
                if not allowed:
                    assert "insufficient_scope" in response.headers["www-authenticate"]


def test_what_changes_anything_always_needs_a_key_and_asking_does_where_it_is_set_so(
    tmp_path: Path,
) -> None:
    """Against the document itself: a new route that changes something must not go for reading."""
    for search_access in ("open", "key"):
        settings = load_settings(index=tmp_path, search_access=search_access)
        for method, path, operation in operations(settings):
            needed = scopes_of(operation)
            if method not in ("GET", "HEAD") and "search" not in operation["tags"]:
                assert needed and "search" not in needed, (method, path)
            elif {"search", "articles"} & set(operation["tags"]):
                assert ("search" in needed) == (search_access == "key"), (method, path)
            assert {"401", "403"} <= operation["responses"].keys() or not needed


@pytest.mark.parametrize("search_access", ["open", "key"])
def test_pages_are_open_where_asking_is(
    index_path: Path, tmp_path: Path, search_access: str
) -> None:
    settings = load_settings(
        index=index_path, keys_file=tmp_path / "keys.json", search_access=search_access
    )
    presented = keys(tmp_path)
    asking = next(key for key, scopes in presented.items() if scopes == ("search",))
    app = create_app(settings)
    with TestClient(app) as client:
        paths = [
            ("GET", "/?q=sleep"),
            ("POST", "/answers"),
            ("GET", "/articles"),
            ("GET", "/articles/sleep-hygiene"),
            ("POST", "/found"),
            ("GET", "/cite?article=sleep-hygiene"),
            ("GET", "/status"),
            ("GET", "/no-such-page"),
        ]
        for method, path in paths:
            without = client.request(method, path, data={"article": "sleep-hygiene"})
            assert (without.status_code == 401) == (search_access == "key"), path
            assert search_access == "open" or "sleep" not in without.text.lower()
            headers = {"Authorization": f"Bearer {asking}"}
            bearing = client.request(
                method, path, headers=headers, data={"article": "sleep-hygiene"}
            )
            assert bearing.status_code in (200, 404), path
        for path in ("/healthz", "/docs", "/openapi.json", "/kb-search.js"):
            assert client.get(path).status_code == 200


def test_without_any_key_administration_is_off_and_the_answer_says_how_to_turn_it_on(
    index_path: Path, tmp_path: Path
) -> None:
    settings = load_settings(index=index_path, keys_file=tmp_path / "none.json")
    bearing = {"Authorization": "Bearer kb_anything"}
    before = (index_path / "tasks").exists()  # by a test that has keys for the same index
    with TestClient(create_app(settings)) as client:
        for method, path, operation in operations(settings):
            if scopes_of(operation):
                for headers in ({}, bearing):
                    response = client.request(method, path, headers=headers)
                    assert response.status_code == 403, (method, path)
                    assert "kb keys add" in response.json()["detail"]
        assert client.get("/api/v1/articles").status_code == 200
    assert (index_path / "tasks").exists() == before


def test_while_the_keys_cannot_be_read_everybody_is_refused_and_questions_are_answered(
    index_path: Path, tmp_path: Path
) -> None:
    (presented, *_) = keys(tmp_path)
    (tmp_path / "keys.json").write_text("{")
    settings = load_settings(index=index_path, keys_file=tmp_path / "keys.json")
    bearing = {"Authorization": f"Bearer {presented}"}
    with TestClient(create_app(settings)) as client:
        response = client.post("/api/v1/rebuild", headers=bearing)
        assert response.status_code == 403
        assert str(tmp_path) not in response.text
        assert client.get("/api/v1/search?q=sleep").status_code == 200


def test_no_key_is_written_to_any_log_or_answer(
    index_path: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    presented = keys(tmp_path)
    answers = []
    settings = load_settings(index=index_path, keys_file=tmp_path / "keys.json")
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        for key in (*presented, "kb_foreign-canary"):
            headers = {"Authorization": f"Bearer {key}"}
            answers += [
                client.get("/api/v1/tasks/none", headers=headers).text,
                client.put("/api/v1/articles/a", headers=headers, content=b"a").text,
                client.get("/api/v1/nowhere", headers=headers).text,
            ]
    lines = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    everything = "\n".join([*answers, *lines, *capfd.readouterr()])
    assert everything
    assert not any(key in everything for key in (*presented, "kb_foreign-canary"))


def test_nothing_is_kept_of_who_may_not_send_it(tmp_path: Path) -> None:
    keys(tmp_path)
    settings = load_settings(index=tmp_path / "index", keys_file=tmp_path / "keys.json")
    client = TestClient(create_app(settings))
    for path in ("/api/v1/articles/a", "/api/v1/upload", "/api/v1/import"):
        method = "PUT" if "articles" in path else "POST"
        assert client.request(method, path, content=b"x" * 200_000).status_code == 401
    assert not (tmp_path / "index").exists()

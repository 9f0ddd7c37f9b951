"""The one shape of errors, pinned."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb import KnowledgeBase
from search_api.http.body import MAX_BODY_BYTES

JSON = {"Content-Type": "application/json"}
CANARY = "zebrafinch"


def post(**fields: Any) -> dict[str, Any]:
    return {"method": "POST", "url": "/api/v1/search", **fields}


def get(url: str) -> dict[str, Any]:
    return {"method": "GET", "url": url}


def invalid(*errors: tuple[str, str]) -> dict[str, Any]:
    return {
        "type": "/docs#invalid-request",
        "title": "The request is not valid",
        "status": 422,
        "errors": [{"field": field, "message": message} for field, message in errors],
    }


def plain(name: str, title: str, status: int, detail: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"type": f"/docs#{name}", "title": title, "status": status}
    return body | ({"detail": detail} if detail else {})


NOT_JSON = plain(
    "unreadable-request", "The request cannot be read", 400, "The body is not JSON in UTF-8."
)
NOT_FOUND = plain("not-found", "Not found", 404)
NO_METHOD = plain("method-not-allowed", "Method not allowed", 405)
TOO_LARGE = plain(
    "body-too-large",
    "The body is too large",
    413,
    "The body is too large; it must be at most 65,536 bytes.",
)
NO_TYPE = plain(
    "unsupported-media-type",
    "Unsupported media type",
    415,
    "Send the body as JSON, with Content-Type: application/json.",
)
BLANK = "The question is empty. Type a few words."
LONG = "The question is 4,001 characters long; it must be at most 4,000. Shorten it."
OPTIONS = (
    "limit, offset, mode, group_by, article, topic, source, language, updated_since, reviewed_since, tag, facets,"
    " exact, explain and generation"
)
UNKNOWN = (
    "unknown",
    f"A field was sent that is not known here. The fields are question, q, {OPTIONS}.",
)
NEAR = (UNKNOWN[0], UNKNOWN[1].replace("here.", "here. Did you mean topic?"))
UNKNOWN_IN_ADDRESS = (
    "unknown",
    f"A field was sent that is not known here. The fields are q, question, {OPTIONS}.",
)
UNKNOWN_IN_LIST = (
    "unknown",
    "A field was sent that is not known here. The fields are limit and offset.",
)
TWICE = "{} is given more than once; give it once."
NUMBER = "limit is {}; it must be a whole number from 1 to 100."

PROBLEMS = [
    (post(json={"question": " \n"}), invalid(("question", BLANK))),
    (get("/api/v1/search?q="), invalid(("q", BLANK))),
    (post(json={"question": CANARY[:1] * 4001}), invalid(("question", LONG))),
    (get(f"/api/v1/search?q={CANARY[:1] * 4001}"), invalid(("q", LONG))),
    (post(json={}), invalid(("question", "This is required."))),
    (get("/api/v1/search"), invalid(("q", "This is required."))),
    (post(json={"question": [CANARY]}), invalid(("question", "It must be text."))),
    (post(json={"question": None}), invalid(("question", "It must be text."))),
    (
        post(content=b'{"question": "\\ud800"}', headers=JSON),
        invalid(("question", "It holds characters that are not valid Unicode (lone surrogates).")),
    ),
    # Names may be the words of a question, be they one or many.
    (post(json={"question": "a", CANARY: 3, "top": 1}), invalid(UNKNOWN, NEAR)),
    (post(json={"question": "a", f"why {CANARY}": 1}), invalid(UNKNOWN)),
    (post(json={CANARY: 1}), invalid(UNKNOWN)),
    (get(f"/api/v1/search?q=a&{CANARY}=1&{CANARY}=2"), invalid(UNKNOWN_IN_ADDRESS)),
    (get(f"/api/v1/search?q=a&why+{CANARY}"), invalid(UNKNOWN_IN_ADDRESS)),
    (get(f"/api/v1/articles?{CANARY}"), invalid(UNKNOWN_IN_LIST)),
    (get(f"/api/v1/search?q=a&q={CANARY}"), invalid(("q", TWICE.format("q")))),
    (get(f"/api/v1/search?q={CANARY}&limit=1&limit=1"), invalid(("limit", TWICE.format("limit")))),
    (get("/api/v1/articles?offset=1&offset=2"), invalid(("offset", TWICE.format("offset")))),
    (post(json={"question": CANARY, "limit": "5"}), invalid(("limit", NUMBER.format("'5'")))),
    (post(json={"question": CANARY, "limit": True}), invalid(("limit", NUMBER.format("True")))),
    (
        post(json={"question": CANARY, "limit": 1.5, "offset": -0.5}),
        invalid(
            ("limit", "limit is 1.5; it must be a whole number from 1 to 100."),
            ("offset", "offset is -0.5; it must be a whole number from 0 to 999."),
        ),
    ),
    (
        get(f"/api/v1/search?q={CANARY}&limit=x&offset=y"),
        invalid(
            ("limit", NUMBER.format("a text")),
            ("offset", "offset is a text; it must be a whole number from 0 to 999."),
        ),
    ),
    (
        post(json={"question": CANARY, "limit": 0}),
        invalid(("limit", "limit is 0; it must be from 1 to 100.")),
    ),
    (
        post(json={"question": CANARY, "limit": -1}),
        invalid(("limit", "limit is -1; it must be from 1 to 100.")),
    ),
    (
        get(f"/api/v1/search?q={CANARY}&limit=10000"),
        invalid(("limit", "limit is 10000; it must be from 1 to 100.")),
    ),
    (
        post(json={"question": CANARY, "offset": -1}),
        invalid(("offset", "offset is -1; it must be from 0 to 999.")),
    ),
    (
        post(json={"question": CANARY, "limit": 10, "offset": 991}),
        invalid(
            (
                "offset",
                "offset is 991 and limit 10; together they must be at most 1,000. Ask a narrower question.",
            )
        ),
    ),
    (get("/api/v1/articles?limit=0"), invalid(("limit", "limit is 0; it must be from 1 to 100."))),
    (
        get("/api/v1/articles?limit=101"),
        invalid(("limit", "limit is 101; it must be from 1 to 100.")),
    ),
    (
        get("/api/v1/related?article=sleep-hygiene&start=5"),
        invalid(
            (
                "start",
                "start is an offset in a section: also give the section's id as section, or leave start out.",
            )
        ),
    ),
    (
        get("/api/v1/articles?offset=-1"),
        invalid(("offset", "offset is -1; it must be from 0 to 1,000,000,000.")),
    ),
    (
        get(f"/api/v1/articles?offset={'9' * 30}"),
        invalid(
            (
                "offset",
                "offset is too long a number; it must be a whole number from 0 to 1,000,000,000.",
            )
        ),
    ),
    (post(json=[CANARY]), invalid(("body", "It must be a JSON object."))),
    (post(content=b"", headers=JSON), invalid(("body", "This is required."))),
    (post(content=f'{{"question": "{CANARY}'.encode(), headers=JSON), NOT_JSON),
    (post(content=b'{"question": "zebra\xff"}', headers=JSON), NOT_JSON),
    (post(content=b"[" * 60_000, headers=JSON), NOT_JSON),
    (post(content=b'{"question": "a", "limit": ' + b"9" * 9000 + b"}", headers=JSON), NOT_JSON),
    (post(content=b"a" * (MAX_BODY_BYTES + 1), headers=JSON), TOO_LARGE),
    (post(data={"question": CANARY}), NO_TYPE),
    (post(content=b'{"question": "zebrafinch"}'), NO_TYPE),
    (get("/nope"), NOT_FOUND),
    (get("/static/../app.py"), NOT_FOUND),
    (get("/static/%00"), NOT_FOUND),
    (get("/api/v1/articles/nope"), NOT_FOUND | {"detail": "There is no article with that id."}),
    ({"method": "DELETE", "url": "/api/v1/search"}, NO_METHOD),
]


@pytest.mark.parametrize(("request_", "expected"), PROBLEMS)
def test_every_problem_has_the_one_shape_and_repeats_no_question(
    client: TestClient, request_: dict[str, Any], expected: dict[str, Any]
) -> None:
    response = client.request(**request_)
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert response.status_code == expected["status"]
    if "errors" in expected:
        detail = body.pop("detail")
        assert all(error["message"] in detail for error in body["errors"])
    assert body == expected
    assert CANARY not in response.text


def test_a_body_that_comes_in_pieces_is_cut_off_at_the_limit(client: TestClient) -> None:
    taken = 0

    def endless() -> Any:
        nonlocal taken
        for _ in range(10_000):
            taken += 1000
            yield b"a" * 1000

    response = client.post("/api/v1/search", content=endless(), headers=JSON)
    assert response.json() == TOO_LARGE


def test_a_wrong_method_is_told_the_right_ones(client: TestClient) -> None:
    assert client.put("/api/v1/search").headers["allow"] == "GET, HEAD, POST"
    for path in ("/", "/healthz"):
        assert client.post(path).headers["allow"] == "GET, HEAD"


def test_without_an_index_every_answer_is_503_with_the_remedy(
    client_without_index: TestClient,
) -> None:
    for request in (
        get("/healthz"),
        get("/api/v1/search?q=a"),
        post(json={"question": "a"}),
        get("/api/v1/articles"),
        get("/api/v1/articles/a"),
    ):
        response = client_without_index.request(**request)
        assert response.status_code == 503
        assert response.headers["retry-after"] == "5"
        assert response.json() == plain(
            "index-unavailable",
            "No index can be served",
            503,
            "There is no index yet. Run `kb build`. The service opens the new index by itself.",
        )
    assert client_without_index.head("/healthz").status_code == 503
    page = client_without_index.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "The library is not available just now" in page.text


def test_a_fault_of_the_service_shows_only_the_request_id(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(KnowledgeBase, "answer", fail)
    response = client.post("/api/v1/search", json={"question": CANARY})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == plain("internal-error", "The service failed", 500) | {
        "request_id": response.headers["x-request-id"]
    }


def test_the_type_is_under_the_public_address_and_described_there(client: TestClient) -> None:
    guide = client.get("/docs").text
    for _, expected in PROBLEMS:
        path, _, fragment = expected["type"].partition("#")
        assert path == "/docs"
        assert f'id="{fragment}"' in guide

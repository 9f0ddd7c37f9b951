from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb import KnowledgeBase

ROUTE = "/api/v1/suggest"


def test_the_route_gives_what_python_gives(
    client: TestClient, knowledge_base: KnowledgeBase
) -> None:
    response = client.get(ROUTE, params={"q": "restl", "limit": 3})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer.pop("timings").keys() == {"suggest", "total"}
    assert answer == {
        "suggestions": [
            {"text": found.text, "kind": found.kind, "url": found.url}
            for found in knowledge_base.suggest("restl", 3)
        ],
        "generation": knowledge_base.generation,
    }
    assert len(response.json()["suggestions"]) == 3


def test_the_text_may_come_in_a_body_and_gets_the_same(client: TestClient) -> None:
    by_address = client.get(ROUTE, params={"q": "restl", "limit": 3}).json()
    by_body = client.post(ROUTE, json={"text": "restl", "limit": 3.0})  # to JSON a whole number
    assert by_body.headers["cache-control"] == "no-store"
    assert by_body.json()["suggestions"] == by_address["suggestions"]
    assert len(client.post(ROUTE, json={"text": "leg"}).json()["suggestions"]) == 8


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "leg", "limit": 0}, "limit"),
        ({"text": "leg", "limit": "3"}, "limit"),
        ({"text": "leg" * 2000}, "text"),
        ({"text": ["leg"]}, "text"),
        ({"text": "leg\ud800"}, "text"),
        ({"limit": 3}, "text"),
        ({"text": "leg", "q": "arm"}, "q"),
        ({"text": "leg", "offset": 1}, "unknown"),
        (["leg"], "body"),
    ],
)
def test_a_wrong_body_is_a_problem_that_names_the_field(
    client: TestClient, body: Any, field: str
) -> None:
    response = client.post(
        ROUTE, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field
    assert "leg" not in response.text


def test_eight_suggestions_are_given_unless_asked_otherwise(client: TestClient) -> None:
    assert len(client.get(ROUTE, params={"q": "leg"}).json()["suggestions"]) == 8


def test_every_suggestion_leads_somewhere(client: TestClient) -> None:
    seen = set()
    for beginning in ("sleep", "leg", "why", "is it", "pulse", "vitamin d", "doctor"):
        for found in client.get(ROUTE, params={"q": beginning}).json()["suggestions"]:
            seen.add(found["kind"])
            page, _, section = found["url"].partition("#")
            response = client.get(page, headers={"Accept": "text/html"})
            assert response.status_code == 200
            assert not section or f'id="{section}"' in response.text
    assert seen == {"article", "section", "question"}


@pytest.mark.parametrize("blank", ["", "   ", "?!", "\u0300"])
def test_a_text_without_words_has_no_suggestions(client: TestClient, blank: str) -> None:
    response = client.get(ROUTE, params={"q": blank})
    assert (response.status_code, response.json()["suggestions"]) == (200, [])


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"q": "leg", "limit": 0}, "limit"),
        ({"q": "leg", "limit": 51}, "limit"),
        ({"q": "leg", "limit": "many"}, "limit"),
        ({"q": "leg" * 2000}, "q"),
        ({"q": ["leg", "arm"]}, "q"),
        ({"limit": 3}, "q"),
        ({"q": "leg", "offset": 1}, "unknown"),
    ],
)
def test_a_wrong_request_is_a_problem_that_names_the_field(
    client: TestClient, parameters: dict[str, Any], field: str
) -> None:
    response = client.get(ROUTE, params=parameters)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert "leg" not in response.text


def test_without_an_index_there_are_no_suggestions(client_without_index: TestClient) -> None:
    response = client_without_index.get(ROUTE, params={"q": "leg"})
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"

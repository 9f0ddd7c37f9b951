from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from kb import KnowledgeBase
from kb.knowledge_base import MAX_QUESTION_CHARS
from support.answers import without_timings
from support.questions import QUESTION


def as_json(value: Any) -> Any:
    """Tuples as the lists that JSON has."""
    if isinstance(value, dict):
        return {name: as_json(part) for name, part in value.items()}
    return [as_json(part) for part in value] if isinstance(value, list | tuple) else value


def test_the_same_question_gets_the_same_answer_by_post_get_and_in_python(
    client: TestClient, knowledge_base: KnowledgeBase
) -> None:
    page = {"limit": 5, "offset": 2}
    posted = client.post("/api/v1/search", json={"question": QUESTION, **page})
    got = client.get("/api/v1/search", params={"q": QUESTION, **page})
    python = knowledge_base.search(QUESTION, **page).to_dict()
    assert posted.status_code == got.status_code == 200
    assert posted.json().keys() == python.keys()
    assert without_timings(posted.json()) == without_timings(got.json())
    assert without_timings(posted.json()) == as_json(without_timings(python))


def test_a_question_that_sounds_like_an_emergency_brings_its_notice(client: TestClient) -> None:
    answer = client.post("/api/v1/search", json={"question": "crushing chest pain"}).json()
    (notice,) = answer["notices"]
    assert notice["id"] == "heart-attack"
    assert notice["text"]
    assert all(link["url"].startswith("https://") for link in notice["links"])
    assert client.post("/api/v1/search", json={"question": QUESTION}).json()["notices"] == []


def test_the_first_result_cites_its_section_word_for_word(client: TestClient) -> None:
    first = client.post("/api/v1/search", json={"question": QUESTION}).json()["results"][0]
    citation = first["citation"]
    article = client.get(f"/api/v1/articles/{citation['article_id']}").json()
    section = next(part for part in article["sections"] if part["id"] == citation["section_id"])
    assert citation["article_id"] == "sleep-starts-hypnic-jerks"
    assert (
        section["text"][citation["start"] : citation["end"]] == citation["quote"] == first["text"]
    )


def test_ten_results_are_given_unless_asked_otherwise(client: TestClient) -> None:
    assert len(client.post("/api/v1/search", json={"question": QUESTION}).json()["results"]) == 10
    assert len(client.get("/api/v1/search", params={"q": QUESTION}).json()["results"]) == 10


def test_the_longest_question_is_answered_even_when_every_character_is_escaped(
    client: TestClient,
) -> None:
    question = "\U0001f642" * MAX_QUESTION_CHARS
    response = client.post("/api/v1/search", json={"question": question})
    assert response.status_code == 200
    assert response.json()["question"] == question


@pytest.mark.parametrize(
    "question",
    ["legs\x00jerk", "\u202elegs\u202c", "le\nlegs", '"((" OR -', "*" * 500, "\ufffd", "title:"],
)
def test_odd_questions_are_answered(client: TestClient, question: str) -> None:
    assert client.post("/api/v1/search", json={"question": question}).status_code == 200
    assert client.get("/api/v1/search", params={"q": question}).status_code == 200


@pytest.mark.parametrize("query", ["q=%FF%FElegs", "q=%ED%A0%80legs", "q=a%00b", "q=legs&&&=;"])
def test_bad_bytes_in_an_address_are_answered_or_refused_but_never_fail(
    client: TestClient, query: str
) -> None:
    assert client.get(f"/api/v1/search?{query}").status_code in (200, 422)
    assert client.get(f"/?{query}", headers={"Accept": "text/html"}).status_code in (200, 422)


def test_all_articles_are_listed_by_title_page_by_page(
    client: TestClient, knowledge_base: KnowledgeBase
) -> None:
    whole = client.get("/api/v1/articles").json()
    pages = [
        client.get("/api/v1/articles", params={"limit": 10, "offset": offset}).json()["articles"]
        for offset in (0, 10, 20, 30)
    ]
    assert whole["total"] == len(whole["articles"]) == knowledge_base.article_count
    assert [article for page in pages for article in page] == whole["articles"]


def test_every_article_can_be_read_by_its_encoded_id(
    client: TestClient, knowledge_base: KnowledgeBase
) -> None:
    for summary in knowledge_base.articles():
        response = client.get(f"/api/v1/articles/{quote(summary.id, safe='')}")
        assert response.json()["id"] == summary.id


@pytest.mark.parametrize("article_id", ["a/b", "../etc/passwd", "%", "é 🙂", "a#b?c", "\x00", ""])
def test_an_unknown_id_of_any_characters_is_not_found(client: TestClient, article_id: str) -> None:
    encoded = quote(article_id, safe="")
    for path in (f"/api/v1/articles/{encoded}", f"/articles/{encoded}"):
        assert client.get(path).status_code == 404, path


def test_health_names_what_is_served(client: TestClient, knowledge_base: KnowledgeBase) -> None:
    health = client.get("/healthz").json()
    assert health["status"] == "ok"
    assert health["reason"] is None
    assert health["generation"] == knowledge_base.generation
    assert (health["articles"], health["sections"], health["passages"]) == (
        knowledge_base.article_count,
        knowledge_base.section_count,
        knowledge_base.passage_count,
    )


def test_balancers_may_ask_for_health_without_a_body(client: TestClient) -> None:
    response = client.head("/healthz")
    assert (response.status_code, response.content) == (200, b"")


def test_answers_are_kept_by_no_cache_and_every_answer_has_the_security_headers(
    client: TestClient,
) -> None:
    for path in ("/", f"/?q={QUESTION}", f"/api/v1/search?q={QUESTION}", "/nope"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self';"
            " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )

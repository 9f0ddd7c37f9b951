"""What a program may say about a search beside its question, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb import KnowledgeBase
from search_api.routes.related import RelatedQuery
from search_api.routes.search_models import OPTION_FIELDS
from support.answers import without_timings
from support.questions import QUESTION


def post(client: TestClient, **body: Any) -> Any:
    return client.post("/api/v1/search", json={"question": QUESTION, **body})


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "keyword", "group_by": "article"},
        {"mode": "dense", "group_by": "passage", "offset": 3},
        {"topic": "Sleep", "language": "en"},
        {"updated_since": "2026-01-01", "reviewed_since": "2026-01-01"},
        {"article": "sleep-hygiene", "explain": True},
        {"source": "nhs.uk", "facets": True},
        {"topic": ["sleep", "nerves", "-children"], "language": ["en", "de"], "source": "-nhs.uk"},
        {"article": ["-sleep-hygiene", "-night-leg-cramps"], "tag": ["sleep"]},
    ],
)
def test_options_mean_the_same_by_post_by_get_and_in_python(
    client: TestClient, knowledge_base: KnowledgeBase, options: dict[str, Any]
) -> None:
    posted = post(client, **options)
    got = client.get("/api/v1/search", params={"q": QUESTION, **options})
    python = knowledge_base.search(QUESTION, **options)
    assert posted.status_code == 200
    assert without_timings(posted.json()) == without_timings(got.json())
    found = [result["citation"]["article_id"] for result in posted.json()["results"]]
    assert found == [result.citation.article_id for result in python.results]
    assert posted.json()["total"] == python.total


def test_a_topic_goes_by_its_older_name_too_but_not_by_both(client: TestClient) -> None:
    answers = [without_timings(post(client, **{name: "sleep"}).json()) for name in ("topic", "tag")]
    assert answers[0] == answers[1]
    refused = post(client, topic="sleep", tag="sleep")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "tag"


def test_no_values_and_null_ask_for_nothing(client: TestClient) -> None:
    everything = without_timings(post(client).json())
    for none in ([], None):
        asked = post(client, topic=none, article=none, source=none, language=none, tag=none)
        assert without_timings(asked.json()) == everything


def test_of_values_in_an_address_each_counts_in_whatever_order(client: TestClient) -> None:
    addresses = [
        [("topic", "nerves"), ("topic", "-sleep"), ("language", "en")],
        [("language", "en"), ("topic", "-sleep"), ("topic", "nerves"), ("topic", "nerves")],
    ]
    answers = [
        without_timings(
            client.get("/api/v1/search", params=[("q", QUESTION), *address]).json()  # type: ignore[arg-type]
        )
        for address in addresses
    ]
    assert answers[0] == answers[1]
    assert answers[0]["results"]
    for result in answers[0]["results"]:
        article = client.get(f"/api/v1/articles/{result['citation']['article_id']}").json()
        assert "nerves" in article["tags"]
        assert "sleep" not in article["tags"]
    refused = client.get("/api/v1/search", params={"q": QUESTION, "topic": ["a"] * 51})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"field": "topic", "message": "topic has 51 values; the most is 50."}
    ]


def test_every_answer_names_its_generation_and_how_long_each_step_took(
    client: TestClient, knowledge_base: KnowledgeBase
) -> None:
    answers = [
        post(client, explain=True),
        client.post("/api/v1/search/batch", json={"searches": [{"question": QUESTION}]}),
        client.get("/api/v1/related", params={"article": "sleep-hygiene"}),
        client.get("/api/v1/suggest", params={"q": "sleep"}),
    ]
    for response in answers:
        answer = response.json()
        assert answer["generation"] == knowledge_base.generation
        steps = [value for name, value in answer["timings"].items() if name != "total"]
        assert steps
        assert sum(steps) == pytest.approx(answer["timings"]["total"], abs=0.01)
    assert answers[0].json()["timings"].keys() == {
        "analyse", "encode", "rank", "cite", "explain", "total",
    }  # fmt: skip


def test_a_page_of_the_generation_that_answers_is_given_and_of_another_refused(
    client: TestClient, knowledge_base: KnowledgeBase
) -> None:
    own, gone = knowledge_base.generation, "20200101T000000Z-0000000000000000"
    assert post(client, generation=own, offset=10).status_code == 200
    refused = [
        post(client, generation=gone),
        client.get("/api/v1/search", params={"q": QUESTION, "generation": gone}),
        client.get("/api/v1/related", params={"article": "sleep-hygiene", "generation": gone}),
        client.post(
            "/api/v1/search/batch", json={"searches": [{"question": "a", "generation": gone}]}
        ),
    ]
    for response in refused:
        problem = response.json()
        assert (response.status_code, problem["status"]) == (409, 409)
        assert own in problem["detail"]
        assert gone not in response.text


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"mode": "fuzzy"}, "mode", "'hybrid', 'keyword' or 'dense'"),
        ({"group_by": "page"}, "group_by", "'passage', 'section' or 'article'"),
        ({"updated_since": "yesterday"}, "updated_since", "YYYY-MM-DD"),
        ({"reviewed_since": "2026-02-30"}, "reviewed_since", "YYYY-MM-DD"),
        ({"topic": 5}, "topic", "It must be text, or a list of texts."),
        ({"topic": {"a": 1}}, "topic", "It must be text, or a list of texts."),
        ({"source": ["a", 5]}, "source.1", "It must be text."),
        ({"language": ["a", None]}, "language.1", "It must be text."),
        ({"article": ["a"] * 51}, "article", "article has 51 values; the most is 50."),
        ({"explain": "maybe"}, "explain", "true or false"),
        ({"offset": 991}, "offset", "1,000"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_accepted(
    client: TestClient, body: dict[str, Any], field: str, words: str
) -> None:
    response = post(client, **body)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert words in error["message"]


def test_a_batch_answers_each_search_as_it_would_be_answered_alone(client: TestClient) -> None:
    searches = [
        {"question": QUESTION, "limit": 3},
        {"question": "do dentures hurt", "group_by": "article"},
        {"question": "zyx zyx zyx", "mode": "keyword"},
    ]
    answers = client.post("/api/v1/search/batch", json={"searches": searches}).json()["answers"]
    alone = [client.post("/api/v1/search", json=each).json() for each in searches]
    assert list(map(without_timings, answers)) == list(map(without_timings, alone))


@pytest.mark.parametrize(
    ("searches", "field", "words"),
    [
        ([], "searches", "searches has 0 entries; it must have at least 1."),
        (
            [{"question": "leg"}] * 21,
            "searches",
            "searches has 21 entries; it must have at most 20.",
        ),
        ([{"question": "leg"}, {"question": " "}], "searches.1.question", "empty"),
        ([{"question": "leg", "limit": 101}], "searches.0.limit", "100"),
        ([{"question": "leg", "limit": "3"}], "searches.0.limit", "whole number"),
        ([{"question": "leg", "topic": ["a"] * 51}], "searches.0.topic", "the most is 50"),
        ([{"question": "leg", "topic": ["a", 1]}], "searches.0.topic.1", "text"),
        ([{"question": "leg", "secret": 1}], "unknown", "question"),
        ("leg", "searches", "list"),
        (["leg"], "searches.0", "object"),
    ],
)
def test_what_is_wrong_in_a_batch_is_named_by_its_place(
    client: TestClient, searches: Any, field: str, words: str
) -> None:
    response = client.post("/api/v1/search/batch", json={"searches": searches})
    assert response.status_code == 422
    error = response.json()["errors"][0]
    assert error["field"] == field
    assert words in error["message"]
    assert "secret" not in response.text


def test_what_is_related_is_found_from_a_citation(client: TestClient) -> None:
    citation = post(client, limit=1).json()["results"][0]["citation"]
    asked = {"article": citation["article_id"]}
    articles = client.get("/api/v1/related", params=asked).json()["results"]
    assert [each["rank"] for each in articles] == list(range(1, len(articles) + 1))
    assert citation["article_id"] not in {each["citation"]["article_id"] for each in articles}
    place = {"section": citation["section_id"], "start": citation["start"]}
    passages = client.get("/api/v1/related", params={**asked, **place}).json()["results"]
    cited = [(each["citation"]["article_id"], each["citation"]["section_id"]) for each in passages]
    assert len(set(cited)) == len(cited) == 10
    assert (citation["article_id"], citation["section_id"]) not in cited
    for each in passages:
        article = client.get(f"/api/v1/articles/{each['citation']['article_id']}").json()
        texts = {section["id"]: section["text"] for section in article["sections"]}
        start, end = each["citation"]["start"], each["citation"]["end"]
        assert texts[each["citation"]["section_id"]][start:end] == each["text"]
    scores = [each["score"] for each in passages]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"article": "nope"}, 404, "no article"),
        ({"article": "sleep-hygiene", "section": "nope"}, 404, "no section"),
        ({"article": "sleep-hygiene", "section": "top", "start": 10**9}, 404, "no passage"),
        ({"article": "sleep-hygiene", "limit": 101}, 422, "100"),
        ({"article": "sleep-hygiene", "start": -1}, 422, "from 0"),
        ({}, 422, "required"),
    ],
)
def test_what_nothing_can_be_related_to_is_named(
    client: TestClient, asked: dict[str, Any], status: int, words: str
) -> None:
    response = client.get("/api/v1/related", params=asked)
    assert response.status_code == status
    assert words in response.json()["detail"]


CANARY = "Zwieselbergkatarrh"


@pytest.mark.parametrize("name", OPTION_FIELDS)
def test_no_option_is_repeated_in_an_error_or_a_log(
    client: TestClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Somebody may put the words of a question anywhere."""
    caplog.set_level("DEBUG", logger="search_api")
    body = {"question": "legs", name: CANARY}
    for response in (
        post(client, **{name: CANARY}),
        post(client, **{name: [CANARY, f"-{CANARY}", {CANARY: 1}]}),
        client.get("/api/v1/search", params={"q": "legs", name: CANARY}),
        client.post("/api/v1/search/batch", json={"searches": [body]}),
    ):
        assert response.status_code in (200, 409, 422)
        assert CANARY not in response.text
    assert CANARY not in caplog.text
    assert len(caplog.records) == 4


@pytest.mark.parametrize("name", RelatedQuery.model_fields)
def test_what_is_asked_to_be_related_is_not_repeated_either(
    client: TestClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level("DEBUG", logger="search_api")
    response = client.get("/api/v1/related", params={"article": "sleep-hygiene", name: CANARY})
    assert response.status_code in (404, 409, 422)
    assert CANARY not in response.text + caplog.text

from __future__ import annotations

import dataclasses
import json
import shlex
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from indexer.maintenance.status import Status
from kb.schema.article import Article
from kb.schema.results import RelatedResponse, SearchResponse
from kb.schema.service import (
    ArticleList,
    BatchResponse,
    Health,
    IndexStatus,
    SuggestionList,
    TaskList,
    TaskView,
)
from search_api.openapi import examples
from search_api.openapi.curl import curl_commands
from search_api.routes.health import Readiness


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    response = client.get("/openapi.json")
    assert response.status_code == 200
    described: dict[str, Any] = response.json()
    return described


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_routes_are_those_that_were_promised(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations(document)} == {
        "post /api/v1/search",
        "get /api/v1/search",
        "post /api/v1/search/batch",
        "get /api/v1/related",
        "get /api/v1/suggest",
        "post /api/v1/suggest",
        "get /api/v1/articles",
        "get /api/v1/articles/{article_id}",
        "put /api/v1/articles/{article_id}",
        "delete /api/v1/articles/{article_id}",
        "post /api/v1/upload",
        "post /api/v1/import",
        "get /api/v1/tasks",
        "get /api/v1/tasks/{task_id}",
        "get /api/v1/tasks/{task_id}/events",
        "post /api/v1/rebuild",
        "get /api/v1/status",
        "get /healthz",
        "get /readyz",
    }


def test_every_route_has_a_summary_a_description_and_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        (answer,) = (
            operation["responses"][s] for s in ("200", "202") if s in operation["responses"]
        )
        assert any(content.get("example") for content in answer["content"].values()), name
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (name, parameter)


def test_every_field_is_described(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, value in schema["properties"].items():
            assert value.get("description"), (name, field)


def test_every_problem_is_declared_as_one(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        problems = {s: r for s, r in operation["responses"].items() if int(s) >= 400}
        assert {"500", "503"} <= problems.keys(), name
        for status, response in problems.items():
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["example"]["status"] == int(status)
            assert response["content"].keys() == {"application/problem+json"}


def test_the_bounds_of_a_search_are_told(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["SearchRequest"]["properties"]
    assert (fields["question"]["minLength"], fields["question"]["maxLength"]) == (1, 4000)
    assert (fields["limit"]["minimum"], fields["limit"]["maximum"]) == (1, 100)
    assert fields["offset"]["minimum"] == 0


def test_filters_of_several_values_are_told_by_post_and_in_an_address(
    document: dict[str, Any],
) -> None:
    fields = document["components"]["schemas"]["SearchRequest"]["properties"]
    parameters = {
        each["name"]: each["schema"]
        for each in document["paths"]["/api/v1/search"]["get"]["parameters"]
    }
    several = {"type": "array", "items": {"type": "string"}, "maxItems": 50}
    for name in ("article", "topic", "source", "language", "tag"):
        assert fields[name]["anyOf"] == [{"type": "string"}, several, {"type": "null"}]
        assert several.items() <= parameters[name].items()
    assert parameters["updated_since"]["type"] == "string"


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        (SearchResponse, examples.SEARCH_RESPONSE),
        (Article, examples.ARTICLE),
        (ArticleList, examples.ARTICLE_LIST),
        (Health, examples.HEALTH),
        (Readiness, examples.READINESS),
        (SuggestionList, examples.SUGGESTIONS),
        (BatchResponse, examples.BATCH_RESPONSE),
        (RelatedResponse, examples.RELATED),
        (TaskView, examples.TASK),
        (TaskList, examples.TASK_LIST),
        (IndexStatus, examples.STATUS),
    ],
)
def test_each_example_has_the_shape_of_the_answer(kind: Any, example: dict[str, Any]) -> None:
    adapter = TypeAdapter(kind)
    assert adapter.dump_python(adapter.validate_python(example), mode="json") == example


def test_the_example_is_among_what_the_corpus_answers(client: TestClient) -> None:
    expected = examples.SEARCH_RESPONSE["results"][0]
    # Among, not first: tuning the ranking must not break the documentation.
    answer = client.post("/api/v1/search", json={"question": examples.QUESTION}).json()
    assert expected["citation"] in [result["citation"] for result in answer["results"]]
    why, total = expected["explanation"], expected["score"]
    parts = ("keyword", "dense", "sentence", "name", "focus", "wording")
    assert sum(why[part] for part in parts) == pytest.approx(total, abs=0.0003)
    snippet = expected["snippet"]
    assert expected["text"][snippet["start"] : snippet["end"]] == snippet["text"]
    assert examples.ARTICLE["sections"][0]["text"] == expected["text"]


def test_the_example_of_what_is_related_is_what_is_near_to_the_examples_passage(
    client: TestClient,
) -> None:
    citation = examples.SEARCH_RESPONSE["results"][0]["citation"]
    asked = {"article": citation["article_id"], "section": citation["section_id"], "limit": 5}
    answer = client.get("/api/v1/related", params=asked).json()
    (expected,) = examples.RELATED["results"]
    assert expected["citation"] in [result["citation"] for result in answer["results"]]


@pytest.mark.parametrize("name", ["SEARCH_REQUESTS", "BATCH_REQUESTS"])
def test_every_example_of_a_request_is_answered(client: TestClient, name: str) -> None:
    path = "/api/v1/search/batch" if name == "BATCH_REQUESTS" else "/api/v1/search"
    for example in getattr(examples, name).values():
        response = client.post(path, json=example["value"])
        assert response.status_code == 200
        for answer in response.json().get("answers", [response.json()]):
            assert answer["results"], example["summary"]


def test_every_link_leads_to_an_operation_and_its_parameters(document: dict[str, Any]) -> None:
    known = {
        operation["operationId"]: {each["name"] for each in operation.get("parameters", [])}
        for _, operation in operations(document)
    }
    links = [
        link
        for _, operation in operations(document)
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) > 10
    for link in links:
        assert link["parameters"].keys() <= known[link["operationId"]]
        assert link["description"]


def test_the_example_of_suggestions_is_what_the_corpus_suggests(client: TestClient) -> None:
    answer = client.get("/api/v1/suggest", params={"q": examples.HALF_TYPED_TEXT}).json()
    for suggestion in examples.SUGGESTIONS["suggestions"]:
        assert suggestion in answer["suggestions"]


def test_the_status_is_told_with_every_field_of_the_command(document: dict[str, Any]) -> None:
    told = document["components"]["schemas"]["IndexStatus"]["properties"].keys()
    assert told == {field.name for field in dataclasses.fields(Status)} | {"tasks"}


def test_the_guide_shows_each_route_with_a_command_that_works(
    client: TestClient, document: dict[str, Any]
) -> None:
    guide = client.get("/docs").text
    commands = curl_commands("http://testserver")
    for _, operation in operations(document):
        assert operation["summary"] in guide
        assert operation["operationId"] in commands
    for command in commands.values():
        if "$KB_KEY" not in command:
            words = shlex.split(command)
            path = words[1].removeprefix("http://testserver")
            if "--json" in words:
                body = json.loads(words[words.index("--json") + 1])
                assert client.post(path, json=body).status_code == 200, command
            else:
                assert client.get(path).status_code == 200, command

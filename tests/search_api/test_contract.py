"""What holds of every route: names of the question, unknown parameters, limits, media types, addresses."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from kb.storage.keys import KeyRing, Scope
from search_api.http.representation import offered
from search_api.service.app import create_app
from search_api.state.settings import Settings, load_settings
from support.answers import without_timings
from support.questions import QUESTION

SEARCH, SUGGEST, BATCH = "/api/v1/search", "/api/v1/suggest", "/api/v1/search/batch"
ADDRESSES = {
    "/api/v1/articles/{article_id}": "/api/v1/articles/sleep-hygiene",
    "/api/v1/tasks/{task_id}": "/api/v1/tasks/none",
    "/api/v1/tasks/{task_id}/events": "/api/v1/tasks/none/events",
    "/articles/{article_id}": "/articles/sleep-hygiene",
    "/static/{version}/{name}": "/static/0/style.css",
}


def errors(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.text
    return [(error["field"], error["message"]) for error in response.json()["errors"]]


# --- the question, by any of its names


@pytest.mark.parametrize("name", ["q", "question"])
def test_a_question_goes_by_either_name_in_a_search(client: TestClient, name: str) -> None:
    usual = without_timings(client.post(SEARCH, json={"question": QUESTION}).json())
    batch = client.post(BATCH, json={"searches": [{name: QUESTION}]}).json()["answers"]
    for answer in (
        client.get(SEARCH, params={name: QUESTION}).json(),
        client.post(SEARCH, json={name: QUESTION}).json(),
        *batch,
    ):
        assert without_timings(answer) == usual
    page = client.get("/", params={name: QUESTION}, headers={"Accept": "text/html"}).text
    assert 'href="/articles/sleep-starts-hypnic-jerks' in page
    part = client.post("/answers", data={name: QUESTION}).text
    assert 'href="/articles/sleep-starts-hypnic-jerks' in part


@pytest.mark.parametrize("name", ["q", "question", "text"])
def test_the_beginning_of_one_goes_by_any_name_in_suggestions(
    client: TestClient, name: str
) -> None:
    usual = client.post(SUGGEST, json={"text": "restl"}).json()["suggestions"]
    assert usual
    assert client.get(SUGGEST, params={name: "restl"}).json()["suggestions"] == usual
    assert client.post(SUGGEST, json={name: "restl"}).json()["suggestions"] == usual


def test_the_same_under_two_names_is_one_and_two_that_differ_are_refused(
    client: TestClient,
) -> None:
    same = {"q": QUESTION, "question": QUESTION}
    assert client.get(SEARCH, params=same).status_code == 200
    assert client.post(SEARCH, json=same).status_code == 200
    other = {"q": QUESTION, "question": "sore gums"}
    for response, field in (
        (client.get(SEARCH, params=other), "question"),
        (client.post(SEARCH, json=other), "q"),
        (client.get(SUGGEST, params=other), "question"),
        (client.post(BATCH, json={"searches": [other]}), "searches.0.q"),
    ):
        ((named, message),) = errors(response)
        assert named == field
        assert "q and question" in message or "question and q" in message
        assert "legs" not in response.text
        assert "gums" not in response.text


@pytest.mark.parametrize("name", ["q", "question"])
def test_an_error_names_the_question_as_the_client_did(client: TestClient, name: str) -> None:
    for response in (
        client.get(SEARCH, params={name: " "}),
        client.post(SEARCH, json={name: "a" * 4001}),
        client.post(SEARCH, json={name: 5}),
        client.get(SUGGEST, params={name: "a" * 4001}),
    ):
        assert [field for field, _ in errors(response)] == [name]
    long = {"searches": [{"question": "legs"}, {name: ""}]}
    assert [field for field, _ in errors(client.post(BATCH, json=long))] == [f"searches.1.{name}"]


# --- names that nobody knows


@pytest.mark.parametrize(
    ("path", "sent", "meant"),
    [
        (f"{SEARCH}?q=a&limt=3", "limt", "limit"),
        (f"{SEARCH}?query=a", "query", "q"),
        (f"{SUGGEST}?q=a&size=3", "size", "limit"),
        ("/api/v1/articles?ofset=3", "ofset", "offset"),
        ("/api/v1/related?article=sleep-hygiene&sectoin=top", "sectoin", "section"),
        ("/api/v1/articles/sleep-hygiene?fromat=html", "fromat", "format"),
    ],
)
def test_a_parameter_with_a_slip_is_named_with_the_one_that_was_meant(
    client: TestClient, path: str, sent: str, meant: str
) -> None:
    (found, *_) = errors(client.get(path))
    assert found[0] == sent
    assert f"{sent} is not known here: did you mean {meant}?" in found[1]


def test_so_is_a_field_of_a_body_at_its_place(client: TestClient) -> None:
    for body, field, meant in (
        ({"question": "a", "groupBy": "article"}, "groupBy", "group_by"),
        ({"query": "a"}, "query", "question"),
    ):
        ((found, message),) = errors(client.post(SEARCH, json=body))
        assert (found, meant in message) == (field, True)
    nested = {"searches": [{"question": "a"}, {"question": "a", "ofset": 1}]}
    ((field, message),) = errors(client.post(BATCH, json=nested))
    assert field == "searches.1.ofset"
    assert "did you mean offset?" in message
    # What is known further in is not known here.
    misplaced = {"searches": [{"question": "a"}], "limit": 3}
    ((field, message),) = errors(client.post(BATCH, json=misplaced))
    assert field == "unknown"
    assert "The field is searches." in message


@pytest.mark.parametrize(
    "name", ["tonic", "colic", "zebrafinch", "why do my legs jerk", "topics in"]
)
def test_a_name_that_may_be_a_word_of_a_question_is_repeated_nowhere(
    client: TestClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level("DEBUG", logger="search_api")
    for response in (
        client.get(SEARCH, params={"q": "a", name: "1"}),
        client.post(SEARCH, json={"question": "a", name: 1}),
        client.post(SEARCH, params={name: "1"}, json={"question": "a"}),
        client.get("/api/v1/articles", params={name: "1"}),
    ):
        assert [field for field, _ in errors(response)] == ["unknown"]
        assert name not in response.text
    assert name not in caplog.text


def test_an_address_that_takes_nothing_says_so_and_where_a_field_belongs(
    client: TestClient,
) -> None:
    ((field, message),) = errors(client.post(f"{SEARCH}?limit=3", json={"question": "a"}))
    assert field == "limit"
    assert "belongs in the body" in message
    ((field, _),) = errors(client.post(f"{SEARCH}?zebrafinch=3", json={"question": "a"}))
    assert field == "unknown"


def test_pages_and_health_checks_leave_aside_what_they_do_not_know(client: TestClient) -> None:
    for path in ("/", "/articles", "/status", "/healthz", "/docs", "/openapi.json"):
        assert client.get(path, params={"utm_source": "a", "limt": "3"}).status_code == 200, path


def test_a_choice_is_told_the_nearest_and_what_was_sent_is_not_repeated(
    client: TestClient,
) -> None:
    response = client.get(SEARCH, params={"q": "a", "mode": "hybird"})
    assert errors(response) == [
        ("mode", "It must be 'hybrid', 'keyword' or 'dense'. Did you mean 'hybrid'?")
    ]
    assert "hybird" not in response.text


# --- limits


def test_every_limit_is_told_in_the_document_and_refused_in_the_same_words(
    client: TestClient,
) -> None:
    document = client.get("/openapi.json").json()
    required = {"q": "legs", "article": "sleep-hygiene"}
    checked = set()
    for path, operations in document["paths"].items():
        if path == "/api/v1/tasks":  # needs a key; below
            continue
        for parameter in operations.get("get", {}).get("parameters", []):
            schema, name = parameter["schema"], parameter["name"]
            if schema["type"] != "integer":
                continue
            least, most = schema["minimum"], schema["maximum"]
            assert "default" in schema or name == "start", (path, name)
            others = {
                each["name"]: required[each["name"]]
                for each in operations["get"]["parameters"]
                if each["required"]
            }
            others |= {"section": "top"} if name == "start" else {}
            for wrong in (least - 1, most + 1):
                refused = client.get(path, params={**others, name: wrong})
                message = f"{name} is {wrong}; it must be from {least} to {most:,}."
                assert errors(refused) == [(name, message)]
                assert refused.json()["detail"] == message
            checked.add((path, name))
    assert len(checked) >= 7


def test_so_it_is_for_tasks(settings: Settings, tmp_path: Any) -> None:
    scopes: tuple[Scope, ...] = ("articles",)
    key = KeyRing(tmp_path / "keys.json").add("test", scopes)[1]
    with_keys = load_settings(index=settings.index, keys_file=tmp_path / "keys.json")
    with TestClient(create_app(with_keys)) as client:
        refused = client.get("/api/v1/tasks?limit=101", headers={"Authorization": f"Bearer {key}"})
        for accept, status in (
            ("text/event-stream", 404),  # as the client and a browser's EventSource ask
            ("*/*", 404),
            ("application/json", 406),
        ):
            asked = {"Authorization": f"Bearer {key}", "Accept": accept}
            assert client.get("/api/v1/tasks/none/events", headers=asked).status_code == status
    assert errors(refused) == [("limit", "limit is 101; it must be from 1 to 100.")]


# --- media types


def test_every_route_offers_what_it_declares_and_refuses_another_form(
    client: TestClient,
) -> None:
    asked = 0
    for context in iter_route_contexts(client.app.routes):  # type: ignore[attr-defined]
        route = context.original_route
        assert isinstance(route, APIRoute), "a route that asks nobody for Accept"
        types = offered(route)
        assert types or route.path in ("/static/{version}/{name}", "/kb-search.js")
        method = "GET" if "GET" in route.methods else "POST"
        address = ADDRESSES.get(route.path, route.path)
        refused = client.request(method, address, headers={"Accept": "application/pdf"})
        if refused.status_code == 403:  # for want of a key
            continue
        assert refused.status_code == 406, route.path
        assert refused.headers["content-type"] == "application/problem+json"
        problem = refused.json()
        assert problem["type"] == "/docs#not-acceptable"
        assert all(media_type in problem["detail"] for media_type in types)
        asked += 1
    assert asked > 18


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        (f"{SEARCH}?q=legs", "application/json"),
        ("/api/v1/articles/sleep-hygiene", "text/markdown"),
        ("/api/v1/articles/sleep-hygiene", "text/html"),
        ("/", "text/html"),
        ("/metrics", "text/plain"),
        ("/static/0/style.css", "text/css"),
        ("/openapi.json", "application/json"),
    ],
)
def test_what_is_offered_is_served_under_its_name_and_by_every_range_that_holds_it(
    client: TestClient, path: str, media_type: str
) -> None:
    family = media_type.partition("/")[0]
    for accept in (media_type, f"{media_type};q=0.1, image/png", f"{family}/*", "*/*", ""):
        response = client.get(path, headers={"Accept": accept})
        assert response.status_code in (200, 404), accept  # /metrics: nobody here may read them
    served = client.get(path, headers={"Accept": media_type})
    assert served.status_code == 404 or served.headers["content-type"].startswith(media_type)


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("/static/0/style.css", "text/css,*/*;q=0.1"),
        ("/static/0/favicon.svg", "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"),
        ("/healthz", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
        ("/metrics", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"),
    ],
)  # fmt: skip
def test_what_programs_send_of_themselves_is_served(
    settings: Settings, path: str, accept: str
) -> None:
    app = create_app(load_settings(index=settings.index))
    with TestClient(app, client=("127.0.0.1", 50000)) as client:
        assert client.get(path, headers={"Accept": accept}).status_code == 200


def test_several_accept_headers_are_one(client: TestClient) -> None:
    headers = [("Accept", "image/png"), ("Accept", "text/markdown")]
    response = client.get("/api/v1/articles/sleep-hygiene", headers=headers)
    assert response.headers["content-type"].startswith("text/markdown")


def test_an_address_that_names_the_form_goes_before_accept_where_it_can(
    client: TestClient,
) -> None:
    pdf = {"Accept": "application/pdf"}
    article = client.get("/api/v1/articles/sleep-hygiene?format=markdown", headers=pdf)
    assert article.headers["content-type"].startswith("text/markdown")
    assert client.get(f"{SEARCH}?q=a&format=json", headers=pdf).status_code == 406


@pytest.mark.parametrize(
    ("path", "accept", "form"),
    [
        ("/nope", "application/pdf", "application/problem+json"),
        ("/nope", "text/html", "text/html"),
        ("/nope", "text/html;q=0", "application/problem+json"),
        ("/nope", "text/html;q=0.5, application/json", "application/problem+json"),
        ("/nope", "*/*", "application/problem+json"),
        ("/api/v1/nope", "text/html", "application/problem+json"),
        ("/api/v1/articles/nope", "text/html", "application/problem+json"),
        ("/articles/nope", "text/html", "text/html"),
    ],
)
def test_an_error_is_told_whatever_is_accepted(
    client: TestClient, path: str, accept: str, form: str
) -> None:
    response = client.get(path, headers={"Accept": accept})
    assert response.status_code == 404
    assert response.headers["content-type"].startswith(form)
    assert response.content
    assert ("Accept" in response.headers.get("vary", "").split(", ")) == (path[:5] != "/api/")


def test_nothing_is_changed_for_a_client_that_could_not_read_of_it(
    settings: Settings, tmp_path: Any
) -> None:
    key = KeyRing(tmp_path / "keys.json").add("test", ("articles",))[1]
    with_keys = load_settings(index=settings.index, keys_file=tmp_path / "keys.json")
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(create_app(with_keys)) as client:
        refused = client.put(
            "/api/v1/articles/new",
            content="# New\n\nText.",
            headers={**headers, "Accept": "text/html", "Content-Type": "text/markdown"},
        )
        assert refused.status_code == 406
        assert client.get("/api/v1/tasks", headers=headers).json() == {"tasks": []}


# --- addresses, and the document


def test_an_address_with_a_slash_too_many_is_told_so_without_being_repeated(
    client: TestClient,
) -> None:
    for path in (
        f"{SEARCH}/",
        "/api/v1/articles/",
        "/articles/",
        "/status/",
        "/docs/",
        "/healthz/",
    ):
        response = client.get(path)
        assert response.status_code == 404
        assert response.json()["detail"] == "Addresses here do not end in a slash: leave it out."
    assert "detail" not in client.get("/zebrafinch/").json()


def test_the_document_says_what_holds_of_every_operation(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for promised in ("HEAD", "406", "unknown", "RFC 9457"):
        assert promised in document["info"]["description"]
    page, _, anchor = document["externalDocs"]["url"].partition("#")
    assert f'id="{anchor}"' in client.get(page).text
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert "406" in operation["responses"], (method, path)
    parameters = {each["name"]: each for each in document["paths"][SEARCH]["get"]["parameters"]}
    assert (parameters["q"]["required"], parameters["question"]["required"]) == (True, False)
    assert "x-required" not in str(document)
    body = document["components"]["schemas"]["SearchRequest"]
    assert body["anyOf"] == [{"required": ["question"]}, {"required": ["q"]}]
    assert "`question`" in body["properties"]["q"]["description"]

"""kb.client.errors: what an answer that is none becomes, and what it never holds"""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.client.errors import (
    ArticleNotFound,
    KeyRefused,
    RequestRefused,
    ServiceError,
    ServiceUnavailable,
    TooManyRequests,
    UnexpectedAnswer,
    error_of,
    repeats,
    retry_after_s,
)
from kb.schema.errors import InvalidRequest, NotFound
from search_api.http.problem_kinds import KINDS

PROBLEM = {"content-type": "application/problem+json"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRefused),
        (401, KeyRefused),
        (403, KeyRefused),
        (404, ArticleNotFound),
        (409, RequestRefused),
        (413, RequestRefused),
        (415, RequestRefused),
        (422, RequestRefused),
        (429, TooManyRequests),
        (500, ServiceError),
        (507, ServiceError),
        (502, ServiceUnavailable),
        (503, ServiceUnavailable),
        (504, ServiceUnavailable),
        (301, UnexpectedAnswer),
        (418, UnexpectedAnswer),
        (799, UnexpectedAnswer),
    ],
)
def test_each_status_has_its_exception(status: int, kind: type[ServiceError]) -> None:
    error = error_of(status, {}, b"<html>", ())
    assert type(error) is kind
    assert (error.status, str(status) in str(error)) == (status, True)


def test_a_refusal_is_what_the_library_itself_would_raise() -> None:
    assert issubclass(RequestRefused, InvalidRequest)
    assert issubclass(ArticleNotFound, NotFound)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_services_own_problems_are_told_in_its_words(kind: Any) -> None:
    body = {
        "type": f"/docs#{kind.name}",
        "title": kind.title,
        "status": kind.status,
        **kind.example,
    }
    error = error_of(kind.status, PROBLEM, json.dumps(body).encode(), ("why do my legs jerk",))
    assert error.kind == kind.name
    assert str(error) == kind.example.get("detail", str(error))
    assert error.request_id == kind.example.get("request_id", "")
    if isinstance(error, RequestRefused) and "errors" in kind.example:
        assert error.field == kind.example["errors"][0]["field"]


def test_an_error_survives_pickling() -> None:
    body = {
        "type": "#invalid-request",
        "detail": "no",
        "errors": [{"field": "limit", "message": "no"}],
    }
    error = error_of(422, {**PROBLEM, "retry-after": "3"}, json.dumps(body).encode(), ())
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (RequestRefused, "no", vars(error))
    assert (again.field, again.retry_after_s) == ("limit", 3.0)


WORDS = st.lists(st.text("abcdefghij", min_size=4, max_size=9), min_size=1, max_size=30)


@given(
    WORDS,
    st.sampled_from([400, 404, 422, 429, 500, 503, 302]),
    st.sampled_from([str.upper, str.lower, str.title]),
)
def test_no_error_repeats_the_question(words: list[str], status: int, spelt: Any) -> None:
    question = " ".join(words)
    echo = f"<<{spelt(question)}>>".replace(" ", "  ")
    body = {
        "type": f"/docs#{echo}",
        "title": echo,
        "detail": f"There is no answer to {echo} here.",
        "request_id": echo,
        "errors": [{"field": echo, "message": echo}],
        echo: echo,
    }
    error = error_of(status, PROBLEM, json.dumps(body).encode(), (question,))
    assert question.casefold() not in " ".join(repr([str(error), vars(error)]).casefold().split())


def test_three_words_in_a_row_are_a_repetition_and_two_are_not() -> None:
    question = "my left leg twitches at night"
    assert repeats("nothing about LEFT leg\ntwitches here", question)
    assert not repeats("the left leg hurts; leg twitches too", question)
    assert repeats("what is pterodactyl?", "Pterodactyl")
    assert not repeats("anything at all", "")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"errors": 3, "detail": 4}', b'{"errors": [1]}', b"\xff"]
)
def test_a_broken_problem_is_told_by_its_status(body: bytes) -> None:
    assert str(
        error_of(422, PROBLEM, body, ())
    ) == "The service answered 422 Unprocessable Content." or (
        "422 Unprocessable Entity" in str(error_of(422, PROBLEM, body, ()))
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sunday, 22-Nov-26 12:01:00 GMT", 60.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("9" * 400, 999_999_999_999.0),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, datetime(2026, 11, 22, 12, tzinfo=UTC)) == seconds

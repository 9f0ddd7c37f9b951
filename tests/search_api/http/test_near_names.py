from __future__ import annotations

import pytest

from search_api.http.near_names import near_to, slip_of

KNOWN = ("q", "question", "limit", "offset", "mode", "group_by", "topic", "updated_since", "tag")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("limt", "limit"),
        ("limitt", "limit"),
        ("lmiit", "limit"),
        ("Limit", "limit"),
        ("groupBy", "group_by"),
        ("group-by", "group_by"),
        ("updatedsince", "updated_since"),
        ("updated_sicne", "updated_since"),
        ("query", "q"),
        ("page_size", "limit"),
        ("top_k", "limit"),
        ("tags", "topic"),
    ],
)
def test_a_slip_or_another_services_name_is_known_for_what_it_is(name: str, meant: str) -> None:
    assert slip_of(name, KNOWN) == meant


@pytest.mark.parametrize(
    "name",
    [
        *("colic", "tonic", "leg", "lag", "stag", "mood", "modest", "limbs", "questionable"),
        *(
            "why do my legs jerk",
            "limt legs",
            "limt?",
            "",
            "topic " * 20,
            "limité",
            "ｌimit",
            "topi3",
        ),
    ],
)
def test_what_may_be_a_word_of_a_question_is_no_slip(name: str) -> None:
    assert slip_of(name, KNOWN) is None


def test_every_name_is_a_slip_of_itself_and_of_no_other() -> None:
    assert [slip_of(name, KNOWN) for name in KNOWN] == list(KNOWN)


@pytest.mark.parametrize(
    ("value", "near"),
    [
        ("hybird", "hybrid"),
        ("KEYWORDS", "keyword"),
        ("dens", "dense"),
        ("legs", None),
        ("x" * 99_999, None),
    ],
)
def test_a_value_is_told_the_choice_that_it_is_most_like(value: str, near: str | None) -> None:
    assert near_to(value, ("hybrid", "keyword", "dense")) == near

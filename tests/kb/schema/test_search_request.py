"""A search as one value, and the documentation of its fields."""

from __future__ import annotations

from dataclasses import fields
from inspect import signature
from typing import Any, get_type_hints

import pytest

from kb import KnowledgeBase
from kb.client import calls
from kb.schema.attribute_docs import attribute_docs
from kb.schema.errors import InvalidRequest
from kb.schema.search_request import (
    OLDER_NAMES,
    NamedSearchOptions,
    SearchOptions,
    SearchRequest,
)

OPTIONS = {field.name for field in fields(SearchRequest)} - {"question"}


def test_every_field_has_a_sentence() -> None:
    docs = attribute_docs(SearchRequest)
    assert docs.keys() == OPTIONS | {"question"}
    for doc in docs.values():
        assert doc[0].isupper()
        assert doc.endswith(".")
        assert "\n" not in doc
        assert len(doc.split()) <= 30


def test_the_names_for_signatures_are_the_fields_with_their_types() -> None:
    hints = get_type_hints(SearchRequest, include_extras=True)
    assert get_type_hints(NamedSearchOptions, include_extras=True) == {
        name: hints[name] for name in OPTIONS - {"limit", "offset"}
    }
    assert get_type_hints(SearchOptions).keys() == OPTIONS
    assert OLDER_NAMES.keys() | set(OLDER_NAMES.values()) <= OPTIONS


@pytest.mark.parametrize("search", [KnowledgeBase.search, calls.search])
def test_the_page_has_the_same_default_everywhere(search: Any) -> None:
    request = SearchRequest("legs")
    defaults = signature(search).parameters
    assert defaults["limit"].default == request.limit == 10
    assert defaults["offset"].default == request.offset == 0


def test_only_what_differs_from_the_defaults_is_given() -> None:
    assert SearchRequest("legs", 10, mode="hybrid", topic=None).given() == {"question": "legs"}
    assert SearchRequest("legs", 3, topic=["sleep"], facets=True).given() == {
        "question": "legs",
        "limit": 3,
        "topic": ["sleep"],
        "facets": True,
    }


def test_making_a_request_checks_nothing_and_check_names_what_is_wrong() -> None:
    request = SearchRequest("legs", 0)
    with pytest.raises(InvalidRequest, match="limit is 0") as caught:
        request.check()
    assert caught.value.field == "limit"


def test_checking_gives_the_filters_and_an_older_name_counts() -> None:
    filters = SearchRequest("legs", tag="sleep", language={"en"}).check()
    assert (filters.topic, filters.language) == ("sleep", ("en",))


def test_a_question_is_in_no_repr() -> None:
    request = SearchRequest("secret legs", topic="secret sleep")
    assert "secret" not in f"{request!r} {request}"


class Documented:
    first: int = 1
    """Said on
    two lines.
    """
    second = 2
    """Not an annotated attribute."""
    third: int

    def method(self) -> None:
        """Said of a method."""


def test_docstrings_are_those_right_below_annotated_attributes() -> None:
    assert attribute_docs(Documented) == {"first": "Said on two lines."}

"""search_api.http.negotiation and search_api.http.etags"""

from __future__ import annotations

import pytest

from kb.schema.errors import InvalidRequest
from search_api.http.etags import (
    etag,
    if_match,
    is_create_only,
    is_held,
    opaque_tags,
    with_suffix,
    without_suffix,
)
from search_api.http.negotiation import preferred

OFFERED = ("application/json", "text/markdown", "text/html")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("text/markdown", "text/markdown"),
        ("TEXT/HTML", "text/html"),
        ("text/*", "text/markdown"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json;q=0.1, text/markdown;q=0.2", "text/markdown"),
        ("text/*;q=0.9, text/markdown;q=0, */*;q=0.5", "text/html"),
        ("image/png", None),
        ("application/json;q=0", None),
        ("text/*, text/markdown;q=0, text/html;q=0.0", None),
        ("application/json; charset=utf-8", "application/json"),
        ("text/html;level=1;q=0.3, text/html;q=0.7, */*;q=0.5", "text/html"),
        ("*; q=.2", "application/json"),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "text/html"),
        ("text/html;q=many, text/markdown;q=0.001", "text/markdown"),
        (";;;,,,=q", "application/json"),
    ],
)
def test_a_client_gets_what_it_likes_best(accept: str, expected: str | None) -> None:
    assert preferred(accept, OFFERED) == expected


def test_the_tag_of_any_form_stands_for_the_article_and_a_weak_one_for_nothing() -> None:
    assert if_match(None) is None
    assert if_match(" * ") == ("*",)
    assert if_match(etag("ab12")) == ("ab12",)
    assert if_match(f'{etag("ab12", "html")} , W/"cd34","ef56-gzip"') == ("ab12", "ef56")


@pytest.mark.parametrize("header", ["", "ab12", '"ab12', '"a" "b" c', "*, *", '"a\x7f"', '"é"'])
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest, match="If-Match"):
        if_match(header)


def test_creating_only_is_said_by_a_star_alone() -> None:
    assert not is_create_only(None)
    assert is_create_only("*")
    with pytest.raises(InvalidRequest, match="can only be"):
        is_create_only('"ab12"')


def test_what_a_client_holds_is_compared_weakly_and_by_form() -> None:
    tag = etag("ab12", "html")
    for held in ("*", tag, f"W/{tag}", f'"x", {tag}'):
        assert is_held([held], tag)
        assert is_held(['"x"', held], tag)
    for other in ("", '"ab12"', '"ab12-markdown"', "ab12-html"):
        assert not is_held([other], tag)
    assert not is_held([], tag)


def test_a_suffix_is_removed_from_the_tags_that_have_it_and_all_else_is_left() -> None:
    header = 'W/"a-gzip", "b" , "c,d-gzip", "-gzip-x", e-gzip, *'
    assert without_suffix(header, "-gzip") == 'W/"a", "b" , "c,d", "-gzip-x", e-gzip, *'
    assert opaque_tags([header]) == ["a-gzip", "b", "c,d-gzip", "-gzip-x"]
    assert [with_suffix(tag, "-gzip") for tag in ('"a"', 'W/"a"')] == ['"a-gzip"', 'W/"a"']

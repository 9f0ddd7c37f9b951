"""indexer.readers.metadata"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from indexer.readers import metadata
from indexer.readers.metadata import FieldError
from kb.schema.article import Source


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-31", "2026-01-31"),
        (" 2026-01-31 ", "2026-01-31"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 23, tzinfo=UTC), "2026-01-31"),
        ("2026-01-31T23:00:00Z", "2026-01-31"),
        (None, None),
        ("", None),
    ],
)
def test_dates_come_out_as_iso_dates(value: object, expected: str | None) -> None:
    assert metadata.iso_date("updated", value) == expected


@pytest.mark.parametrize("value", ["2026-13-01", "2026-02-30", "31.1.2026", "20260131", "soon"])
def test_a_bad_date_is_named_with_its_key(value: str) -> None:
    with pytest.raises(FieldError, match=f'reviewed "{value}" is not a date: .*YYYY-MM-DD'):
        metadata.iso_date("reviewed", value)


def test_sources_may_be_mappings_texts_or_urls() -> None:
    value = [
        {"title": "NHS", "url": "https://nhs.uk/"},
        {"url": "https://a.org/x"},
        {"title": "A book"},
        "Another book",
        "https://b.org/y",
    ]
    assert metadata.sources("sources", value) == (
        Source("NHS", "https://nhs.uk/"),
        Source("https://a.org/x", "https://a.org/x"),
        Source("A book"),
        Source("Another book"),
        Source("https://b.org/y", "https://b.org/y"),
    )


def test_a_lenient_source_may_have_other_keys_and_urls() -> None:
    value = [{"title": "A", "url": "doi:10.1/x", "year": 2001}, {}]
    assert metadata.sources("sources", value, lenient=True) == (Source("A", "doi:10.1/x"),)


def test_blank_items_are_left_out_and_lines_joined() -> None:
    assert metadata.lines("tags", ["a\n b", " ", ""]) == ("a b",)


@pytest.mark.parametrize(
    ("check", "value", "part"),
    [
        (metadata.line, ["a"], "key must be text, not a list"),
        (metadata.line, True, "not true or false: put it in quotes"),
        (metadata.line, 3.5, "not a number: put it in quotes"),
        (metadata.line, {"a": 1}, "not a mapping"),
        (metadata.lines, "a", "key must be a list of texts, not text"),
        (metadata.lines, ["a", 12], "key, item 2 must be text, not a number"),
        (metadata.url, "javascript:alert(1)", '"javascript:alert(1)" is not a URL'),
        (metadata.url, "www.nhs.uk", "https://"),
        (metadata.url, "https://a b", "is not a URL"),
        (metadata.sources, "NHS", "key must be a list, not text"),
        (metadata.sources, [3], "item 1 must be text or title and url, not a number"),
        (metadata.sources, [{"titel": "x"}], 'did you mean "title"?'),
        (metadata.sources, [{"title": ""}], "neither title nor url"),
        (metadata.sources, [{"title": "x", "url": "x.org"}], 'url "x.org" is not a URL'),
    ],
)
def test_a_wrong_value_is_named_with_key_and_type(
    check: Callable[[str, object], object], value: object, part: str
) -> None:
    with pytest.raises(FieldError) as caught:
        check("key", value)
    assert part in str(caught.value)


def test_values_in_messages_are_short_and_printable() -> None:
    assert metadata.shown("a\nb\ud800") == '"a\\nb\\ud800"'
    assert len(metadata.shown("x" * 1000)) == 62

"""kb.storage.catalogue: the library's order, against sorting and filtering by hand."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from kb.schema.filters import Filters
from kb.storage.catalogue import OTHER_LETTER, Catalogue, Row, title_key

TITLES = ["Émile", "apple", "Zebra", "“Beta”", "3 Things", "!", "apple"]
HOSTS = ["https://www.nhs.uk/a", "https://cdc.gov/b", "javascript:x", ""]
DATES = [None, "1999-12-31", "2026-01-31", "2026-02-01"]

rows = st.lists(
    st.tuples(
        st.sampled_from(TITLES) | st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
        st.lists(st.sampled_from(["Sleep", "sleep", "nerves"]), max_size=3).map(tuple),
        st.sampled_from(HOSTS),
        st.sampled_from(["en", "en-GB", "EN-us", "de", "eng"]),
        st.sampled_from(DATES),
        st.sampled_from(DATES),
    ),
    max_size=12,
).map(lambda found: [Row(n, *row) for n, row in enumerate(found)])


def test_titles_stand_under_their_first_letter_without_accents_or_signs() -> None:
    catalogue = Catalogue([Row(n, title) for n, title in enumerate(TITLES)])
    named = {group.name: [TITLES[n] for n in group.articles] for group in catalogue.letters}
    assert named == {
        OTHER_LETTER: ["!", "3 Things"],
        "A": ["apple", "apple"],
        "B": ["“Beta”"],
        "E": ["Émile"],
        "Z": ["Zebra"],
    }
    assert list(catalogue.by_title) == [5, 4, 1, 6, 3, 0, 2]


@given(rows)
def test_every_article_stands_once_under_a_letter_and_once_under_each_of_its_topics(
    found: list[Row],
) -> None:
    catalogue = Catalogue(found)
    by_letter = [int(n) for group in catalogue.letters for n in group.articles]
    assert sorted(by_letter) == sorted(map(int, catalogue.by_title)) == list(range(len(found)))
    for group in catalogue.topics:
        assert {int(n) for n in group.articles} == {
            row.ordinal for row in found if group.name in row.tags
        }
        assert len(set(group.articles.tolist())) == len(group.articles)
    for groups in (catalogue.letters, catalogue.topics, catalogue.sources):
        names = [group.name for group in groups]
        assert names == sorted(names, key=lambda name: (title_key(name), name))
        assert all(len(group.articles) for group in groups)
    assert {group.name for group in catalogue.sources} <= {"nhs.uk", "cdc.gov"}


def values_of(*values: str) -> st.SearchStrategy[str | list[str] | None]:
    """None, one or several of some values."""
    return st.none() | st.sampled_from(values) | st.lists(st.sampled_from(values), max_size=4)


asked = st.builds(
    Filters,
    article=st.none(),
    topic=values_of("SLEEP", "nerves", "x", "-SLEEP", "-nerves", "-x"),
    source=values_of("NHS.uk", "x", "-nhs.UK", "-cdc.gov"),
    language=values_of("en", "EN-GB", "e", "", "-EN-GB", "-de", "-e"),
    updated_since=st.sampled_from(DATES),
    reviewed_since=st.sampled_from(DATES),
)


def meets(row: Row, filters: Filters) -> bool:
    """Whether an article meets the filters, one by one."""
    host = {"https://www.nhs.uk/a": "nhs.uk", "https://cdc.gov/b": "cdc.gov"}.get(row.url)
    languages = {"en": {"en", "en-GB", "EN-us"}, "EN-GB": {"en-GB"}, "de": {"de"}}

    def holds(values: object, bears: Callable[[str], bool]) -> bool:
        each = [values] if isinstance(values, str) else list(values or ())  # type: ignore[call-overload]
        wanted = [value for value in each if value[:1] != "-"]
        return (not wanted or any(map(bears, wanted))) and not any(
            bears(value[1:]) for value in each if value[:1] == "-"
        )

    return (
        holds(filters.topic, lambda topic: topic.lower() in {tag.lower() for tag in row.tags})
        and holds(filters.source, lambda source: source.lower() == host)
        and holds(filters.language, lambda tag: row.language in languages.get(tag, set()))
        and (filters.updated_since is None or (row.updated or "") >= filters.updated_since)
        and (filters.reviewed_since is None or (row.reviewed or "") >= filters.reviewed_since)
    )


@given(rows, asked)
def test_what_is_allowed_meets_every_filter(found: list[Row], filters: Filters) -> None:
    allowed = Catalogue(found).allowed(filters)
    assert allowed.tolist() == [meets(row, filters) for row in found]

"""kb.catalogue: the library's order, against sorting and filtering by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kb.catalogue import OTHER_LETTER, Catalogue, title_key

TITLES = ["Émile", "apple", "Zebra", "“Beta”", "3 Things", "!", "apple"]
HOSTS = ["https://www.nhs.uk/a", "https://cdc.gov/b", "javascript:x", ""]

rows = st.lists(
    st.tuples(
        st.sampled_from(TITLES) | st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
        st.lists(st.sampled_from(["Sleep", "sleep", "nerves"]), max_size=3).map(tuple),
        st.sampled_from(HOSTS),
    ),
    max_size=12,
).map(lambda found: [(n, *row) for n, row in enumerate(found)])


def test_titles_stand_under_their_first_letter_without_accents_or_signs() -> None:
    catalogue = Catalogue([(n, title, (), "") for n, title in enumerate(TITLES)])
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
    found: list[tuple[int, str, tuple[str, ...], str]],
) -> None:
    catalogue = Catalogue(found)
    by_letter = [int(n) for group in catalogue.letters for n in group.articles]
    assert sorted(by_letter) == sorted(map(int, catalogue.by_title)) == list(range(len(found)))
    for group in catalogue.topics:
        assert {int(n) for n in group.articles} == {
            n for n, _, tags, _ in found if group.name in tags
        }
        assert len(set(group.articles.tolist())) == len(group.articles)
    for groups in (catalogue.letters, catalogue.topics, catalogue.sources):
        names = [group.name for group in groups]
        assert names == sorted(names, key=lambda name: (title_key(name), name))
        assert all(len(group.articles) for group in groups)
    assert {group.name for group in catalogue.sources} <= {"nhs.uk", "cdc.gov"}


@given(
    rows, st.sampled_from([None, "SLEEP", "nerves", "x"]), st.sampled_from([None, "nhs.uk", "x"])
)
def test_what_is_allowed_bears_the_tag_and_comes_from_the_source(
    found: list[tuple[int, str, tuple[str, ...], str]], tag: str | None, source: str | None
) -> None:
    expected = [
        (tag is None or tag.casefold() in {each.casefold() for each in tags})
        and (source is None or (source in url and source != "x"))
        for _, _, tags, url in found
    ]
    assert np.array_equal(Catalogue(found).allowed(tag, source), np.array(expected, dtype=np.bool_))

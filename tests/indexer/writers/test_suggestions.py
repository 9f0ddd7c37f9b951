"""indexer.writers.suggestions: patched suggestions are those of a build from nothing"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.writers.suggestions import patch_suggestions, write_suggestions
from kb.schema.article import Article, Section
from support.examples import at_most

TITLES = st.sampled_from(
    ["Iron", "iron", "a: b", "b", "Do I need iron?", "Do I  need iron?", "Éclair’s end", "", "…"]
)
"""Questions and words that several have, spaces that are not shown, and names that look alike when put together."""


@st.composite
def articles(draw: st.DrawFn) -> dict[str, Article]:
    found = {}
    for name in draw(st.sets(st.sampled_from(["a", "b", "c", "ß"]))):
        sections = [
            Section(f"s{place}", heading, 2, "Text.")
            for place, heading in enumerate(draw(st.lists(TITLES, max_size=2)))
        ]
        aliases = tuple(draw(st.lists(TITLES.filter(bool), max_size=2)))
        found[name] = Article(name, draw(TITLES), tuple(sections), aliases=aliases)
    return found


@settings(max_examples=at_most(60))
@given(articles(), articles())
def test_patched_suggestions_are_the_bytes_of_a_build_from_nothing(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, Article], after: dict[str, Article]
) -> None:
    root = tmp_path_factory.mktemp("suggestions")
    gone = [article for name, article in before.items() if after.get(name) != article]
    come = [article for name, article in after.items() if before.get(name) != article]
    write_suggestions(root / "before", before.values())
    write_suggestions(root / "after", after.values())
    patch_suggestions(root / "patched", root / "before", gone, come, after.values)
    names = {path.name for path in (root / "after").iterdir()}
    assert {path.name for path in (root / "patched").iterdir()} == names
    for name in names:
        assert (root / "patched" / name).read_bytes() == (root / "after" / name).read_bytes(), name

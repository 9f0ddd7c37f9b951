"""search_api.pages.example_questions: what a library of any size and kind offers to ask."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kb.schema.article import Article, ArticleSummary, Section
from search_api.pages.example_questions import example_questions


def library(articles: list[Article]) -> Any:
    """What the function asks of a knowledge base."""

    def listed(limit: int, offset: int) -> list[ArticleSummary]:
        assert limit >= 1
        return [
            ArticleSummary(a.id, a.title, "", None, None, "en", (), len(a.sections))
            for a in articles[offset : offset + limit]
        ]

    by_id = {article.id: article for article in articles}
    return SimpleNamespace(article_count=len(articles), articles=listed, article=by_id.__getitem__)


def article(name: str, title: str, *headings: str) -> Article:
    return Article(name, title, tuple(Section(h, h, 2, "") for h in headings))


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 26, 6154])
def test_examples_come_from_libraries_of_any_size(count: int) -> None:
    found = example_questions(library([article(f"{n}", f"{n}?") for n in range(count)]))
    assert len(set(found)) == len(found) == min(4, count)


@pytest.mark.parametrize(
    ("articles", "shown"),
    [
        ([article("a", "", "Why Sleep?"), article("b", "Is It Bad?")], "Is It Bad?"),
        (
            [article("a", "Sleep Starts", "How Common?", "What Is a Sleep Start?")],
            "What Is a Sleep Start?",
        ),
        ([article("a", "Twitches", "Twitch or Cramp?", "Do They Hurt?")], "Twitches"),
        ([article("a", ""), article("b", "Bones")], "Bones"),
        ([article("a", "")], "a"),
    ],
)
def test_a_title_that_asks_comes_before_a_heading_that_does_and_that_before_any_other_title(
    articles: list[Article], shown: str
) -> None:
    # The first of four parts is as long as the articles given.
    filler = [article(f"z{n}", "Zebras") for n in range(3 * len(articles))]
    assert example_questions(library([*articles, *filler]))[0] == shown

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from kb.ranking.fusion import FusionWeights
from kb.schema.article import Article, Section
from kb.schema.results import Citation, Explanation, SearchResult, Snippet
from search_api.pages.cards import CITED_ANCHOR, make_card, passage_path

TEXT = "Intro. 🙂 Legs jerk <b>at night</b>. The end."


def result_for(start: int, end: int, snippet: tuple[int, int], *words: str) -> SearchResult:
    highlights = tuple((TEXT.index(word), TEXT.index(word) + len(word)) for word in words)
    quote = TEXT[start:end]
    return SearchResult(
        rank=1,
        score=0.5,
        text=quote,
        snippet=Snippet(TEXT[slice(*snippet)], *snippet),
        highlights=highlights,
        citation=Citation("a/b", "A", "s é", "S", "/articles/x", "", quote, start, end),
        explanation=Explanation(
            keyword=0.1,
            dense=0.2,
            sentence=0.31,
            name=0.1,
            focus=0.1,
            wording=0.05,
            keyword_score=0.5,
            passage_cosine=0.4,
            sentence_cosine=0.9,
            name_cosine=0.3,
            name_matched="A",
            focus_share=0.2,
            wording_share=0.4,
            terms={"leg": 0.1},
        ),
    )


ARTICLE = Article("a/b", "A", (Section("s é", "S", 2, TEXT),))


def test_highlights_are_code_points_of_the_section_wherever_passage_and_snippet_begin() -> None:
    start = TEXT.index("🙂")
    result = result_for(start, len(TEXT), (start + 2, TEXT.index(" The")), "Legs", "night")
    card = make_card(result, ARTICLE)
    for shown in (card.snippet, card.passage):
        stretch = shown[0].rows[0][0]
        assert [piece.text for piece in stretch.pieces if piece.marked] == ["Legs", "night"]
    assert (card.cut_before, card.cut_after) == (True, True)
    assert card.words == ("legs", "night")


def test_the_link_opens_the_article_at_the_passage() -> None:
    assert passage_path("a/b", "s é", 0, 9, "As it is") == (
        "/articles/a%2Fb?start=0&end=9&section=s%20%C3%A9&words=As%20it%20is#s%20%C3%A9"
    )
    assert passage_path("a", "s", 700, 900, "x" * 99).endswith(
        f"&section=s&words={'x' * 40}#{CITED_ANCHOR}"
    )


def test_the_parts_of_the_explanation_add_up_to_the_score() -> None:
    result = replace(result_for(0, len(TEXT), (0, 6)), score=0.86)
    card = make_card(result, ARTICLE)
    assert len(card.parts) == len(fields(FusionWeights)) == 6
    assert sum(part.figure for part in card.parts) == pytest.approx(card.result.score)
    lifted = replace(result, score=0.96, explanation=replace(result.explanation, subject=0.1))
    card = make_card(lifted, ARTICLE)
    assert len(card.parts) == 7
    assert sum(part.figure for part in card.parts) == pytest.approx(card.result.score)
    lifted = replace(result, score=0.96, explanation=replace(result.explanation, kind=0.1))
    card = make_card(lifted, ARTICLE)
    assert card.parts[6].name == "The kind of answer"
    assert sum(part.figure for part in card.parts) == pytest.approx(card.result.score)


def test_the_nearest_name_is_told_where_there_is_one() -> None:
    result = result_for(0, len(TEXT), (0, 6))
    unnamed = replace(result, explanation=replace(result.explanation, name_matched=""))
    told = [make_card(each, ARTICLE).parts[3].meaning for each in (result, unnamed)]
    assert told[0] == f"{told[1]} The nearest of its names is “A”."

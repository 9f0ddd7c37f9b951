"""What a question becomes, and what comes with its answer, over `corpus/`"""

from __future__ import annotations

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.ranking.confidence import unrelated


def test_a_misspelt_word_is_repaired_and_the_answer_is_that_of_the_right_word(
    knowledge_base: KnowledgeBase,
) -> None:
    typed = knowledge_base.search("what exersise eases siatica")
    assert typed.correction is not None
    assert typed.correction.text == "what exercise eases sciatica"
    assert typed.correction.changes == (("exersise", "exercise"), ("siatica", "sciatica"))
    assert typed.question == "what exersise eases siatica"
    right = knowledge_base.search(typed.correction.text)
    assert right.correction is None
    assert typed.results == right.results


@pytest.mark.parametrize("question", ['"siatica"', "title:siatica", "siat* exersise"])
def test_operators_are_meant_as_they_stand(knowledge_base: KnowledgeBase, question: str) -> None:
    assert knowledge_base.search(question).correction is None


def test_what_is_left_out_is_said_with_the_way_back(knowledge_base: KnowledgeBase) -> None:
    asked = knowledge_base.search("leg cramps -magnesium", 50)
    assert asked.excluded is not None
    assert asked.excluded.words == ("magnesium",)
    assert asked.results
    assert not any("magnesium" in result.text.lower() for result in asked.results)
    back = knowledge_base.search(asked.excluded.question, 50)
    assert back.excluded is None
    assert back.total > asked.total


def test_a_hyphen_behind_a_space_finds_what_it_joins(knowledge_base: KnowledgeBase) -> None:
    for typed, joined in (
        ("check -ups with dentures", "check-ups with dentures"),
        ("vitamin b -12 shortage", "vitamin b 12 shortage"),
    ):
        found = knowledge_base.search(typed)
        assert found.excluded is None
        assert found.results[0].citation == knowledge_base.search(joined).results[0].citation


def test_exact_leaves_the_spelling(knowledge_base: KnowledgeBase) -> None:
    assert knowledge_base.search("siatica", exact=True).correction is None


def test_another_language_is_no_answer_and_says_so(knowledge_base: KnowledgeBase) -> None:
    found = knowledge_base.search("warum zuckt mein Bein jeden Abend beim Einschlafen")
    assert found.answered == "none"
    assert found.reason == "The question seems to be in German, and this library is in English."
    assert found.results
    assert found.companion is None


def test_a_reason_stands_with_no_answer_and_only_there(knowledge_base: KnowledgeBase) -> None:
    assert knowledge_base.search("who won the world cup final in 1998").reason
    assert not knowledge_base.search("why do my legs jerk when I fall asleep").reason


def test_other_names_find_and_mark_what_the_question_does_not_say(
    knowledge_base: KnowledgeBase,
) -> None:
    """`charley horse: leg cramp` stands in corpus/vocabulary.yaml."""
    found = knowledge_base.search("charley horse", limit=20)
    marked = {
        result.text[start - result.citation.start : end - result.citation.start].lower()
        for result in found.results
        for start, end in result.highlights
    }
    assert {"leg", "cramps"} <= marked
    for result in found.results:
        why = result.explanation
        assert sum(why.terms.values()) == pytest.approx(why.keyword, abs=1e-6)


def test_further_sections_of_an_article_are_named_once_and_are_not_on_the_page(
    knowledge_base: KnowledgeBase,
) -> None:
    found = knowledge_base.search("restless legs syndrome", limit=3)
    on_page = {(r.citation.article_id, r.citation.section_id) for r in found.results}
    with_more = [result for result in found.results if result.also]
    assert with_more
    assert len({result.citation.article_id for result in with_more}) == len(with_more)
    for result in with_more:
        article = knowledge_base.article(result.citation.article_id)
        for link in result.also:
            section = article.section(link.section_id)
            assert section is not None
            assert section.heading == link.section_heading
            assert (article.id, section.id) not in on_page
            assert link.url.endswith(f"#{section.id}")


def test_pages_continue_each_other(knowledge_base: KnowledgeBase) -> None:
    question = "is twitching dangerous"
    whole = knowledge_base.search(question, limit=30).results
    parts = [
        result
        for offset in (0, 10, 20)
        for result in knowledge_base.search(question, limit=10, offset=offset).results
    ]
    assert [r.citation for r in parts] == [r.citation for r in whole]


def test_the_line_of_this_library(knowledge_base: KnowledgeBase) -> None:
    assert 0.2 < unrelated(knowledge_base.passage_count) < 0.3

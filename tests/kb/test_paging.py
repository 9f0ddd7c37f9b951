"""Paging, grouping, modes and operators: what must hold of every answer, whatever was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import KnowledgeBase, SearchResult
from kb.schema.errors import GenerationGone, InvalidRequest
from kb.schema.search_request import MODES, UNITS, Mode, Unit
from kb.text.analysis import terms
from support.examples import at_most

QUESTIONS = [
    "why do my legs jerk when I fall asleep",
    "sore gums from new dentures",
    "magnesium -sleep",
    '"muscle twitches" heading:doctor',
    "title:twitch* eyelid",
    "zyx",
]
FILTERS: list[Mapping[str, Any]] = [{}, {"topic": "sleep"}, {"article": "sleep-hygiene"}]

every_mode = pytest.mark.parametrize("mode", MODES)
every_unit = pytest.mark.parametrize("unit", UNITS)
bounded = settings(
    max_examples=at_most(12), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def bare(results: tuple[SearchResult, ...]) -> list[SearchResult]:
    """The results without the further sections they name, which are those that are not on the page."""
    return [replace(result, also=()) for result in results]


@every_mode
@every_unit
@bounded
@given(
    question=st.sampled_from(QUESTIONS),
    filters=st.sampled_from(FILTERS),
    k=st.integers(1, 99),
    offset=st.integers(0, 40),
)
def test_the_first_k_are_the_beginning_of_the_first_k_and_one(
    knowledge_base: KnowledgeBase,
    mode: Mode,
    unit: Unit,
    question: str,
    filters: dict[str, Any],
    k: int,
    offset: int,
) -> None:
    asked = {"mode": mode, "group_by": unit, "generation": knowledge_base.generation, **filters}
    fewer = knowledge_base.search(question, k, offset, **asked)
    more = knowledge_base.search(question, k + 1, offset, **asked)
    assert bare(fewer.results) == bare(more.results)[:k]
    assert [result.rank for result in more.results] == [
        offset + place for place in range(1, len(more.results) + 1)
    ]
    assert fewer.total == more.total
    assert len(fewer.results) == min(k, max(fewer.total - offset, 0))
    assert fewer.answered == more.answered


@every_mode
@every_unit
@pytest.mark.parametrize("question", QUESTIONS[:1])
def test_pages_put_together_are_the_whole_list_each_unit_once(
    knowledge_base: KnowledgeBase, mode: Mode, unit: Unit, question: str
) -> None:
    asked: dict[str, Any] = {"mode": mode, "group_by": unit}
    total = knowledge_base.search(question, 1, **asked).total
    whole = [
        result
        for offset in range(0, total, 100)
        for result in bare(knowledge_base.search(question, 100, offset, **asked).results)
    ]
    paged = [
        result
        for offset in range(0, total, 37)
        for result in bare(knowledge_base.search(question, 37, offset, **asked).results)
    ]
    assert paged == whole
    assert len(whole) == total
    assert knowledge_base.search(question, 10, total, **asked).results == ()
    cited = [result.citation for result in whole]
    owners = {
        "article": [each.article_id for each in cited],
        "section": [(each.article_id, each.section_id) for each in cited],
        "passage": [(each.article_id, each.section_id, each.start) for each in cited],
    }[unit]
    assert len(set(owners)) == len(owners)
    scores = [result.score for result in whole]
    # Variety may put sections of the first ten a few places back.
    beyond = scores[10:] if unit == "section" else scores
    assert beyond == sorted(beyond, reverse=True)


@every_mode
@pytest.mark.parametrize("question", QUESTIONS[:2])
def test_a_group_stands_by_its_best_passage(
    knowledge_base: KnowledgeBase, mode: Mode, question: str
) -> None:
    def best(unit: Unit) -> dict[Any, float]:
        found: dict[Any, float] = {}
        for offset in range(0, 300, 100):
            page = knowledge_base.search(question, 100, offset, mode=mode, group_by="passage")
            for result in page.results:
                cited = result.citation
                key = (cited.article_id, cited.section_id if unit == "section" else "")
                found.setdefault(key, result.score)
        return found

    for unit in ("section", "article"):
        results = knowledge_base.search(question, 100, mode=mode, group_by=unit).results
        expected = best(unit)
        for result in results:
            cited = result.citation
            key = (cited.article_id, cited.section_id if unit == "section" else "")
            assert result.score == expected[key]


def words_of(result: SearchResult, field: str, knowledge_base: KnowledgeBase) -> list[list[str]]:
    """The terms of what stands in a field of a result's passage; each alias is part of one text."""
    article = knowledge_base.article(result.citation.article_id)
    fields = {
        "title": article.title,
        "aliases": "\n".join(article.aliases),
        "heading": result.citation.section_heading,
        "text": result.text,
    }
    return [terms(fields[name]) for name in ([field] if field else fields)]


def holds(texts: list[list[str]], wanted: list[str]) -> bool:
    return any(
        words[place : place + len(wanted)] == wanted
        for words in texts
        for place in range(len(words))
    )


def begins(texts: list[list[str]], beginning: str) -> bool:
    return any(word.startswith(beginning) for words in texts for word in words)


Sign = Literal["phrase", "-word", "-phrase", "title:", "heading:", "prefix", "title:prefix"]
OPERATORS: list[tuple[Sign, str, str]] = [
    ("phrase", 'legs "muscle twitches"', "muscle twitches"),
    ("-word", "legs -sleep", "sleep"),
    ("-phrase", 'legs -"restless legs"', "restless legs"),
    ("title:", "title:dentures pain", "dentures"),
    ("heading:", 'heading:"talk to a doctor" legs', "talk to a doctor"),
    ("prefix", "legs fascic*", "fascic"),
    ("title:prefix", "why title:twi*", "twi"),
]


@every_mode
@every_unit
@pytest.mark.parametrize(("sign", "question", "wanted"), OPERATORS)
def test_an_operator_holds_of_every_result(
    knowledge_base: KnowledgeBase, mode: Mode, unit: Unit, sign: Sign, question: str, wanted: str
) -> None:
    response = knowledge_base.search(question, 100, mode=mode, group_by=unit)
    assert response.results
    field = sign.partition(":")[0] if ":" in sign else ""
    for result in response.results:
        texts = words_of(result, field, knowledge_base)
        found = begins(texts, wanted) if "prefix" in sign else holds(texts, terms(wanted))
        assert found != sign.startswith("-"), result.citation


@every_unit
def test_by_words_alone_every_result_holds_a_word_or_another_name_of_it(
    knowledge_base: KnowledgeBase, unit: Unit
) -> None:
    results = knowledge_base.search(
        "sore gums from dentures", 100, mode="keyword", group_by=unit
    ).results
    assert results
    for result in results:
        why = result.explanation
        assert why.keyword_score > 0
        assert why.terms
        assert (why.dense, why.sentence, why.name) == (0, 0, 0)
        assert result.score == pytest.approx(why.keyword + why.focus + why.wording + why.kind)


def test_by_meaning_alone_words_count_nothing(knowledge_base: KnowledgeBase) -> None:
    for result in knowledge_base.search("sore gums", 100, mode="dense").results:
        why = result.explanation
        assert (why.keyword, why.focus, why.wording) == (0, 0, 0)
        meaning = why.dense + why.sentence + why.name
        assert result.score == pytest.approx(meaning + why.kind)


def test_a_beginning_finds_by_words_what_begins_so(knowledge_base: KnowledgeBase) -> None:
    response = knowledge_base.search("fascic*", 5, mode="keyword", explain=True)
    assert response.results
    assert response.explanation is not None
    (condition,) = response.explanation.conditions
    assert condition.kind == "prefix"
    assert set(condition.expansions) == {"fascicul"}
    assert all(result.explanation.terms.keys() == {"fascicul"} for result in response.results)
    # A small word may begin others too, and a score stays below 1.
    for result in knowledge_base.search("the* wit*", 20, mode="keyword").results:
        assert 0 < result.explanation.keyword_score <= 1


def test_an_explanation_tells_how_the_question_was_understood(
    knowledge_base: KnowledgeBase,
) -> None:
    plain = knowledge_base.search("leg twitches -tea", 1)
    assert plain.explanation is None
    response = knowledge_base.search(
        'leg twitches "at night" -tea zyxw', 3, topic="sleep", explain=True
    )
    found = response.explanation
    assert found is not None
    assert found.text == "leg twitches at night zyxw"
    assert [term.term for term in found.terms] == terms(found.text)
    assert found.terms[-1].passages == 0
    assert all(term.passages > 0 for term in found.terms[:-1])
    assert [(each.kind, each.text, each.negated) for each in found.conditions] == [
        ("phrase", "at night", False),
        ("phrase", "tea", True),
    ]
    assert "twitches" in [name.name for name in found.names]
    assert sum(found.weights.values()) == pytest.approx(1.0)
    assert found.candidates == found.allowed <= knowledge_base.passage_count
    assert response.total <= found.allowed
    assert (response.answered == "none") == (found.evidence < found.likely_from)


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("mode", {"mode": "fuzzy"}),
        ("group_by", {"group_by": "page"}),
        ("updated_since", {"updated_since": "20260131"}),
        ("updated_since", {"updated_since": ""}),
        ("reviewed_since", {"reviewed_since": "2026-13-01"}),
        ("tag", {"tag": "sleep", "topic": "sleep"}),
    ],
)
def test_an_option_that_is_none_is_refused_by_name(
    knowledge_base: KnowledgeBase, field: str, asked: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        knowledge_base.search("legs", **asked)
    assert caught.value.field == field


def test_another_generation_than_the_one_that_answers_is_gone(
    knowledge_base: KnowledgeBase,
) -> None:
    with pytest.raises(GenerationGone, match=knowledge_base.generation):
        knowledge_base.search("legs", generation="another")
    with pytest.raises(GenerationGone):
        knowledge_base.related("sleep-hygiene", generation="another")

"""What the library has nothing on is not answered, what it has is, and care comes along with symptoms."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.schema.results import SearchResult
from kb.schema.search_request import UNITS, Unit
from support.json_lines import read_records

HERE = Path(__file__).parent


def test_questions_about_other_subjects_are_not_answered(knowledge_base: KnowledgeBase) -> None:
    """A hundred, of sport, law, cooking and software, some with words like "sleep" and "health check"."""
    questions = read_records(HERE / "off_topic.jsonl")
    answered = [
        q["id"] for q in questions if knowledge_base.search(q["text"], 1).answered != "none"
    ]
    assert len(questions) == 100
    assert len(answered) <= 5, answered


def test_questions_near_to_its_subjects_are_hardly_ever_answered_with_confidence(
    knowledge_base: KnowledgeBase,
) -> None:
    """Ten about health that no article answers, such as a rate of breathing, with articles about that of the heart."""
    questions = read_records(HERE / "near_misses.jsonl")
    sure = [
        q["id"] for q in questions if knowledge_base.search(q["text"], 1).answered == "confident"
    ]
    assert len(questions) == 10
    assert len(sure) <= 1, sure


def test_questions_that_it_answers_are_not_turned_away(knowledge_base: KnowledgeBase) -> None:
    for name, most in (("questions.jsonl", 0.02), ("riddles.jsonl", 0.15)):
        questions = read_records(HERE / name)
        away = [
            q["id"] for q in questions if knowledge_base.search(q["text"], 1).answered == "none"
        ]
        assert len(away) <= most * len(questions), (name, away)


def test_when_to_seek_care_comes_along_with_symptoms_and_only_with_them(
    knowledge_base: KnowledgeBase,
) -> None:
    """Of forty questions about symptoms and twenty about subjects; either as a result of the first three or apart."""
    right = wrong = 0
    for question in read_records(HERE / "companions.jsonl"):
        response = knowledge_base.search(question["text"])
        first = places(*response.results[:3])
        companion = places(*filter(None, [response.companion]))
        wrong += question["section"] is None and bool(companion)
        right += question["section"] in first + companion
        assert not set(companion) & set(places(*response.results)), question["id"]
    assert right >= 36
    assert wrong <= 1


def places(*results: SearchResult) -> list[str]:
    return [f"{found.citation.article_id}#{found.citation.section_id}" for found in results]


@pytest.mark.parametrize("unit", UNITS)
def test_the_companion_is_no_result_as_well_on_whatever_page(
    knowledge_base: KnowledgeBase, unit: Unit
) -> None:
    question = "crawling feeling in my legs every evening, have to keep moving them"
    care = "restless-legs-syndrome#when-to-get-help"
    everything = knowledge_base.search(question, 100, group_by=unit)
    assert everything.companion is not None
    assert places(everything.companion) == [care]
    assert care not in places(*everything.results)
    pages = [knowledge_base.search(question, 33, offset, group_by=unit) for offset in (0, 33, 66)]
    assert [page.companion is not None for page in pages] == [True, False, False]
    found = [place for page in pages for place in places(*page.results)]
    assert found == places(*everything.results)[:99]

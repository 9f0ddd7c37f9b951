"""What the library has nothing on is not answered, what it has is, and care comes along with symptoms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kb.knowledge_base import KnowledgeBase

HERE = Path(__file__).parent


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def test_questions_about_other_subjects_are_not_answered(knowledge_base: KnowledgeBase) -> None:
    """A hundred, of sport, law, cooking and software, some with words like "sleep" and "health check"."""
    questions = read("off_topic.jsonl")
    answered = [
        q["id"] for q in questions if knowledge_base.search(q["text"], 1).answered != "none"
    ]
    assert len(questions) == 100
    assert len(answered) <= 5, answered


def test_questions_that_it_answers_are_not_turned_away(knowledge_base: KnowledgeBase) -> None:
    for name, most in (("questions.jsonl", 0.02), ("riddles.jsonl", 0.15)):
        questions = read(name)
        away = [
            q["id"] for q in questions if knowledge_base.search(q["text"], 1).answered == "none"
        ]
        assert len(away) <= most * len(questions), (name, away)


def test_when_to_seek_care_comes_along_with_symptoms_and_only_with_them(
    knowledge_base: KnowledgeBase,
) -> None:
    """Of forty questions about symptoms and twenty about subjects."""
    right = wrong = 0
    for question in read("companions.jsonl"):
        companion = knowledge_base.search(question["text"], 1).companion
        if question["article"] is None:
            wrong += companion is not None
        else:
            right += companion is not None and companion.citation.article_id == question["article"]
    assert right >= 33
    assert wrong <= 1

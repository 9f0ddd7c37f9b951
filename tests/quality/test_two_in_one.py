"""Forty questions that are two in one, over `corpus/`: whether the first three results answer both."""

from __future__ import annotations

import json
from pathlib import Path

from kb.knowledge_base import KnowledgeBase

QUESTIONS = [
    json.loads(line)
    for line in (Path(__file__).parent / "two_in_one.jsonl").read_text("utf-8").splitlines()
]
SHARE = 0.8


def test_both_parts_are_answered_by_the_first_three(knowledge_base: KnowledgeBase) -> None:
    missed = []
    for question in QUESTIONS:
        found = [
            f"{result.citation.article_id}#{result.citation.section_id}"
            for result in knowledge_base.search(question["text"], 3).results
        ]
        if not all(set(found) & set(part) for part in question["parts"]):
            missed.append((question["text"], found))
    print(f"{len(QUESTIONS) - len(missed)} of {len(QUESTIONS)}; missed: {missed}")
    assert len(QUESTIONS) == 40
    assert len(missed) <= (1 - SHARE) * len(QUESTIONS)


def test_results_stay_in_the_order_of_their_scores(knowledge_base: KnowledgeBase) -> None:
    for question in QUESTIONS:
        scores = [result.score for result in knowledge_base.search(question["text"], 10).results]
        assert scores == sorted(scores, reverse=True)

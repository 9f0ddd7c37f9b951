"""Questions that negate or exclude something, over articles that say so and the opposite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from kb.knowledge_base import KnowledgeBase

QUESTIONS = [
    json.loads(line)
    for line in (Path(__file__).parent / "negation.jsonl").read_text(encoding="utf-8").splitlines()
]
SHARE = 0.95


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("negation")
    (folder / "articles").mkdir()
    for question in QUESTIONS:
        sections = "\n\n".join(f"## {s['heading']}\n\n{s['text']}" for s in question["sections"])
        file = folder / "articles" / f"{question['id']}.md"
        file.write_text(f"# {question['title']}\n\n{sections}\n", encoding="utf-8")
    assert not build(BuildRequest(folder / "index", [folder / "articles"])).failures
    with KnowledgeBase.open(folder / "index") as opened:
        yield opened


def test_the_section_that_says_so_comes_before_the_one_that_says_the_opposite(
    library: KnowledgeBase,
) -> None:
    missed = []
    for question in QUESTIONS:
        found = library.search(question["text"], 20)
        own = [
            result.citation.section_heading
            for result in found.results
            if result.citation.article_id == question["id"]
        ]
        if own[:1] != [question["right"]]:
            missed.append((question["text"], own))
    print(f"{len(QUESTIONS) - len(missed)} of {len(QUESTIONS)}; missed: {missed}")
    assert len(missed) <= (1 - SHARE) * len(QUESTIONS)


def test_what_a_negation_adds_is_part_of_the_explained_score(library: KnowledgeBase) -> None:
    first = library.search("cough with no fever").results[0]
    why = first.explanation
    parts = (why.keyword, why.dense, why.sentence, why.name, why.focus, why.wording)
    assert first.score == pytest.approx(sum(parts) + why.subject + why.kind)
    assert why.kind > 0

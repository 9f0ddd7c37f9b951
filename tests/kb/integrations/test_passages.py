"""kb.integrations.passages: what every retriever hands on"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.integrations.passages import LazyLibrary, Wanted
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import InvalidRequest
from support.questions import EMERGENCY, NO_ANSWER, QUESTION


@pytest.fixture(scope="module")
def library(index_path: Path) -> Iterator[LazyLibrary]:
    opened = LazyLibrary(str(index_path), None, None, "https://kb.example.org")
    yield opened
    opened.close()


def test_a_passage_carries_its_citation(
    library: LazyLibrary, knowledge_base: KnowledgeBase
) -> None:
    found = library.retrieve(QUESTION, Wanted(limit=4))
    response = knowledge_base.search(QUESTION, 4)
    assert len(found) == 4
    for each, result in zip(found, response.results, strict=True):
        citation = result.citation
        section = knowledge_base.article(citation.article_id).section(citation.section_id)
        assert section is not None
        data = each.metadata
        assert each.text == result.text == section.text[data["start"] : data["end"]]  # type: ignore[misc]
        assert each.id == f"{citation.article_id}#{citation.section_id}@{citation.start}"
        assert each.score == data["score"] == pytest.approx(result.score, abs=1e-6)
        assert data["url"] == f"https://kb.example.org{citation.url}"
        for name in ("article_title", "section_heading", "source_url", "updated", "reviewed"):
            assert data[name] == getattr(citation, name)
        assert (data["rank"], data["answered"]) == (result.rank, response.answered)
        assert json.loads(json.dumps(data)) == data


def test_where_nothing_answers_nothing_is_given_unless_asked_for(library: LazyLibrary) -> None:
    assert library.retrieve(NO_ANSWER, Wanted()) == []
    nearest = library.retrieve(NO_ANSWER, Wanted(nearest=True, limit=3))
    assert [each.metadata["answered"] for each in nearest] == ["none"] * 3


def test_notices_come_first_unless_they_are_not_wanted(library: LazyLibrary) -> None:
    first, *others = library.retrieve(EMERGENCY, Wanted(limit=2))
    assert (first.kind, first.score) == ("notice", 1.0)
    assert "emergency number" in first.text
    assert str(first.metadata["url"]).startswith("https://")
    assert others
    assert {each.kind for each in others} == {"passage"}
    without = library.retrieve(EMERGENCY, Wanted(limit=2, notices=False))
    assert [each.id for each in without] == [each.id for each in others]


def test_a_notice_has_the_metadata_of_a_passage(
    library: LazyLibrary, knowledge_base: KnowledgeBase
) -> None:
    first, second = library.retrieve(EMERGENCY, Wanted(limit=1))
    assert list(first.metadata) == list(second.metadata)
    response = knowledge_base.search(EMERGENCY, 1)
    notice = response.notices[0]
    page = notice.links[0].url
    assert first.metadata == {
        "kind": "notice",
        "article_id": "",
        "article_title": notice.title,
        "section_id": "",
        "section_heading": "",
        "url": page,
        "source_url": page,
        "start": 0,
        "end": len(first.text),
        "updated": None,
        "reviewed": None,
        "rank": 0,
        "score": 1.0,
        "answered": response.answered,
        "generation": response.generation,
    }
    assert (second.metadata["kind"], second.metadata["rank"]) == ("passage", 1)


def test_a_topic_of_several_holds_and_an_excluded_one_does_not(
    library: LazyLibrary, knowledge_base: KnowledgeBase
) -> None:
    several = ("nerves", "muscles", "-sleep")
    found = library.retrieve(QUESTION, Wanted(topic=several, nearest=True, limit=20))
    tags = [set(knowledge_base.article(str(each.metadata["article_id"])).tags) for each in found]
    assert len(tags) > 5
    assert all({"nerves", "muscles"} & each and "sleep" not in each for each in tags)


def test_a_topic_and_a_limit_hold(library: LazyLibrary, knowledge_base: KnowledgeBase) -> None:
    found = library.retrieve("sore gums", Wanted(topic="mouth", nearest=True, limit=7))
    assert 0 < len(found) <= 7
    for each in found:
        assert "mouth" in knowledge_base.article(str(each.metadata["article_id"])).tags
    with pytest.raises(InvalidRequest, match="limit"):
        library.retrieve(QUESTION, Wanted(limit=101))


def test_it_is_opened_when_it_is_asked_and_again_after_it_was_closed(index_path: Path) -> None:
    library = LazyLibrary(str(index_path), None, None, "")
    library.close()
    assert library.retrieve(QUESTION, Wanted(limit=1))
    library.close()
    assert library.retrieve(QUESTION, Wanted(limit=1))
    library.close()

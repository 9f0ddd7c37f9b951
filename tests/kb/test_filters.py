"""Searching within a topic, a source or an article, and what an answer can be narrowed to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from indexer.build import build
from kb import KnowledgeBase
from kb.facets import NEAR
from kb.fusion import Mode
from kb.results import SearchResult

QUESTION = "why do my legs jerk when I fall asleep"


def test_within_a_topic_come_its_articles_alone_in_the_order_they_had(
    knowledge_base: KnowledgeBase,
) -> None:
    everything = knowledge_base.search(QUESTION, 100)
    within = knowledge_base.search(QUESTION, 30, tag="Nerves")
    assert len(within.results) == 30
    tags = {a.id: a.tags for a in knowledge_base.articles()}
    assert all("nerves" in tags[result.citation.article_id] for result in within.results)
    # One section may be a result among the first in one of them, and come along as the companion in the other.
    apart = {
        _section(response.companion) for response in (everything, within) if response.companion
    }
    found, expected = (
        [r.citation for r in response.results if _section(r) not in apart]
        for response in (within, everything)
    )
    expected = [citation for citation in expected if "nerves" in tags[citation.article_id]]
    assert len(expected) >= 10
    assert found[: len(expected)] == expected[: len(found)]
    scores = {result.citation: result.score for result in everything.results}
    assert all(
        scores.get(r.citation, r.score) == pytest.approx(r.score, abs=1e-6) for r in within.results
    )


def _section(result: SearchResult) -> tuple[str, str]:
    return result.citation.article_id, result.citation.section_id


def test_within_an_article_come_its_sections_alone(knowledge_base: KnowledgeBase) -> None:
    article = knowledge_base.article("sleep-hygiene")
    results = knowledge_base.search("coffee -wine", 100, article=article.id).results
    assert {result.citation.article_id for result in results} == {article.id}
    assert len(results) <= len(article.sections)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"tag": "zyx"}, "has that topic"),
        ({"source": "nhs.uk"}, "is published at that host"),
        ({"article": "zyx"}, "has that id"),
        ({"tag": ""}, "has that topic"),
        ({"language": "de", "topic": "sleep"}, "has that topic and is in that language"),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "keyword", "dense"])
@pytest.mark.parametrize("question", [QUESTION, '"zyx zyx" -leg'])
def test_a_name_that_nothing_bears_leaves_nothing_whatever_is_asked(
    knowledge_base: KnowledgeBase, filters: dict[str, str], wanted: str, mode: Mode, question: str
) -> None:
    response = knowledge_base.search(question, mode=mode, facets=True, **filters)  # type: ignore[arg-type]
    assert response.results == ()
    assert response.answered == "none"
    assert response.reason == f"No article in this library {wanted}."
    assert response.facets is not None
    assert response.facets.topics == response.facets.sources == ()


@pytest.mark.parametrize("question", [QUESTION, "what does reelin do"])
def test_facets_are_the_topics_of_the_nearest_articles(
    knowledge_base: KnowledgeBase, question: str
) -> None:
    assert knowledge_base.search(question, 1).facets is None
    response = knowledge_base.search(question, 50, facets=True)
    tags = {a.id: a.tags for a in knowledge_base.articles()}
    least = NEAR * max(result.score for result in response.results)
    near = {r.citation.article_id for r in response.results if r.score >= least}
    assert response.facets is not None
    expected = Counter(tag for article in near for tag in tags[article])
    assert {value.name: value.articles for value in response.facets.topics} == expected
    counts = [value.articles for value in response.facets.topics]
    assert counts == sorted(counts, reverse=True)
    assert response.facets == knowledge_base.search(question, 1, 5, facets=True).facets


def test_what_is_far_from_the_answer_is_no_topic_of_it(knowledge_base: KnowledgeBase) -> None:
    response = knowledge_base.search("what does reelin do", 50, facets=True)
    assert response.facets is not None
    topics = {value.name for value in response.facets.topics}
    assert "brain" in topics
    assert not topics & {"sleep", "muscles", "mouth", "heart"}
    assert len({result.citation.article_id for result in response.results}) > 5


def test_a_source_is_the_host_of_the_publishers_page(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    for name, url in (("a", "https://www.nhs.uk/x"), ("b", "https://cdc.gov/y"), ("c", "")):
        text = (
            f"---\nid: {name}\ntitle: Marmots {name}\nurl: '{url}'\n---\nMarmots whistle loudly.\n"
        )
        (tmp_path / "corpus" / f"{name}.md").write_text(text, encoding="utf-8")
    build(tmp_path / "index", [tmp_path / "corpus"])
    with KnowledgeBase.open(tmp_path / "index") as opened:
        response = opened.search("why do marmots whistle", facets=True)
        assert response.facets is not None
        assert {value.name for value in response.facets.sources} == {"nhs.uk", "cdc.gov"}
        within = opened.search("why do marmots whistle", source="NHS.uk")
        assert [result.citation.article_id for result in within.results] == ["a"]


def test_the_reason_tells_a_filter_from_a_condition(knowledge_base: KnowledgeBase) -> None:
    assert knowledge_base.search("zyx -leg", mode="keyword").reason == (
        "Nothing here holds a word of the question and meets the question’s conditions."
    )
    assert knowledge_base.search('"zyx zyx"', article="sleep-hygiene").reason == (
        "No article that the search is narrowed to meets the question’s conditions."
    )

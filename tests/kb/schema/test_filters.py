"""Searching within a topic, a source or an article, and what an answer can be narrowed to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import KnowledgeBase
from kb.answering.facets import MIN_SCORE_SHARE
from kb.schema.article import Article
from kb.schema.errors import InvalidRequest
from kb.schema.filters import MANY_VALUED, including
from kb.schema.results import SearchResult
from kb.schema.search_request import MODES, Mode
from support.json_lines import write_records
from support.questions import QUESTION

MARMOTS = "why do marmots whistle"

VARIED: dict[str, dict[str, Any]] = {
    "a": {"url": "https://www.nhs.uk/x", "tags": ["x", "Sleep"]},
    "-b": {"url": "https://nhs.uk/y", "tags": ["-x"], "language": "en-GB"},
    "\\c": {"url": "https://cdc.gov/y", "tags": ["\\x", "sleep"], "language": "de"},
    "d": {"tags": ["x", "-x"], "language": "de-AT"},
    "e": {"tags": []},
}
"""Articles that all answer one question, by id."""


@pytest.fixture(scope="module")
def varied(
    build_index: Callable[[Path, Path], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KnowledgeBase]:
    """A library of those articles."""
    folder = tmp_path_factory.mktemp("varied")
    lines = [
        {
            "id": name,
            "title": f"Marmots {number}",
            "language": "en",
            "sections": [{"id": "top", "heading": "", "text": "Marmots whistle loudly."}],
            **more,
        }
        for number, (name, more) in enumerate(VARIED.items())
    ]
    corpus = folder / "articles.jsonl"
    write_records(corpus, lines)
    build_index(folder / "index", corpus)
    with KnowledgeBase.open(folder / "index") as opened:
        yield opened


def found(knowledge_base: KnowledgeBase, **filters: Any) -> set[str]:
    """The ids of the articles that are left."""
    results = knowledge_base.search(MARMOTS, 100, **filters).results
    return {result.citation.article_id for result in results}


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
    least = MIN_SCORE_SHARE * max(result.score for result in response.results)
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


def test_a_source_is_the_host_of_the_publishers_page(varied: KnowledgeBase) -> None:
    response = varied.search(MARMOTS, facets=True)
    assert response.facets is not None
    assert {value.name for value in response.facets.sources} == {"nhs.uk", "cdc.gov"}
    assert found(varied, source="NHS.uk") == {"a", "-b"}


def test_a_value_that_begins_with_a_sign_of_ours_is_meant_by_a_backslash(
    varied: KnowledgeBase,
) -> None:
    assert found(varied, topic="-x") == set(VARIED) - {"a", "d"}
    assert found(varied, topic="\\-x") == {"-b", "d"}
    assert found(varied, topic="--x") == set(VARIED) - {"-b", "d"}
    assert found(varied, topic="\\\\x") == {"\\c"}
    assert found(varied, topic="-\\x") == set(VARIED) - {"\\c"}
    assert found(varied, article=["\\-b", "a"]) == {"-b", "a"}
    assert {including(name) for name in ("x", "-x", "\\x")} == {"x", "\\-x", "\\\\x"}


def test_of_a_language_and_its_regions_some_can_be_left_out(varied: KnowledgeBase) -> None:
    assert found(varied, language=["en", "-en-GB"]) == {"a", "e"}
    assert found(varied, language="-en") == {"\\c", "d"}


NAMES = {
    "article": ["a", "-b", "\\c", "nope"],
    "topic": ["x", "-x", "\\x", "SLEEP", "nope", ""],
    "source": ["nhs.uk", "CDC.gov", "nope"],
    "language": ["en", "EN-gb", "de", "e"],
}


def has(article: Article, name: str, value: str) -> bool:
    """Whether an article bears one value of a filter."""
    match name:
        case "article":
            return article.id == value
        case "topic":
            return value.lower() in [tag.lower() for tag in article.tags]
        case "source":
            return bool(value) and f"//{value.lower()}/" in article.url.replace("www.", "")
        case _:
            wanted = value.lower().split("-")
            return article.language.lower().split("-")[: len(wanted)] == wanted


def meets(article: Article, name: str, values: list[tuple[str, bool]]) -> bool:
    """Whether it has any of the values that are not excluded, where there are some, and none of the others."""
    wanted = [has(article, name, value) for value, excluded in values if not excluded]
    return (any(wanted) or not wanted) and not any(
        has(article, name, value) for value, excluded in values if excluded
    )


def written(value: str, excluded: bool) -> str:
    """A value as a caller writes it."""
    if excluded:
        return f"-{value}"
    return f"\\{value}" if value[:1] in ("-", "\\") else value


asked_for = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.tuples(st.sampled_from(names), st.booleans()), max_size=5)
        for name, names in NAMES.items()
    },
)


@given(asked=asked_for, shuffled=st.randoms(use_true_random=False), mode=st.sampled_from(MODES))
def test_articles_have_any_of_the_values_and_none_of_the_excluded_in_whatever_order(
    varied: KnowledgeBase,
    asked: dict[str, list[tuple[str, bool]]],
    shuffled: random.Random,
    mode: Mode,
) -> None:
    expected = {
        article.id
        for article in map(varied.article, VARIED)
        if all(meets(article, name, values) for name, values in asked.items())
    }
    filters = {name: [written(*value) for value in values] for name, values in asked.items()}
    response = varied.search(MARMOTS, 100, mode=mode, **filters)  # type: ignore[arg-type]
    assert {result.citation.article_id for result in response.results} == expected
    if not expected:
        assert response.reason.startswith("No article in this library ")
    for values in filters.values():
        values.extend(values[:1])  # once more
        shuffled.shuffle(values)
    again = varied.search(MARMOTS, 100, mode=mode, **filters)  # type: ignore[arg-type]
    assert replace(again, timings={}) == replace(response, timings={})
    sets = {name: set(values) for name, values in filters.items()}
    once = varied.search(MARMOTS, 100, mode=mode, **sets)  # type: ignore[arg-type]
    assert replace(once, timings={}) == replace(response, timings={})


def test_facets_are_those_of_what_several_values_leave(knowledge_base: KnowledgeBase) -> None:
    filters: dict[str, Any] = {"topic": ["nerves", "muscles", "-sleep"]}
    response = knowledge_base.search(QUESTION, 50, facets=True, **filters)
    tags = {a.id: a.tags for a in knowledge_base.articles()}
    within = {result.citation.article_id for result in response.results}
    assert len(within) > 2
    assert all(
        {"nerves", "muscles"} & set(tags[each]) and "sleep" not in tags[each] for each in within
    )
    least = MIN_SCORE_SHARE * max(result.score for result in response.results)
    near = {r.citation.article_id for r in response.results if r.score >= least}
    assert response.facets is not None
    expected = Counter(tag for article in near for tag in tags[article])
    assert {value.name: value.articles for value in response.facets.topics} == expected


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"topic": ["zyx", "zyy"]}, "has one of those topics"),
        ({"topic": ["sleep", "-sleep"]}, "has that topic and lacks the excluded topic"),
        (
            {"language": ["-en", "-de"]},
            "is in another language than the excluded ones",
        ),
        (
            {"article": ["zyx", "zyy"], "source": ["-nhs.uk", "nhs.uk"]},
            "has one of those ids and is published at that host and is published elsewhere than at the"
            " excluded host",
        ),
        ({"article": ["zyx"], "language": "en"}, "has that id and is in that language"),
    ],
)
def test_the_reason_says_of_several_values_what_they_ask(
    knowledge_base: KnowledgeBase, filters: dict[str, Any], wanted: str
) -> None:
    for values in (
        filters,
        {
            name: list(reversed(value)) if isinstance(value, list) else value
            for name, value in filters.items()
        },
    ):
        response = knowledge_base.search(QUESTION, **values)
        assert response.results == ()
        assert response.reason == f"No article in this library {wanted}."


def test_no_values_ask_for_nothing_and_each_name_of_topic_may_hold_some(
    knowledge_base: KnowledgeBase,
) -> None:
    everything = replace(knowledge_base.search(QUESTION), timings={})
    empty: list[Any] = [(), [], set(), None]
    for none in empty:
        asked = knowledge_base.search(QUESTION, topic=none, article=none, tag=[])
        assert replace(asked, timings={}) == everything
    by_both = [
        knowledge_base.search(QUESTION, **{name: ["-sleep", "nerves"]})  # type: ignore[arg-type]
        for name in ("topic", "tag")
    ]
    assert by_both[0].results == by_both[1].results
    with pytest.raises(InvalidRequest, match="give one of them"):
        knowledge_base.search(QUESTION, topic=["sleep"], tag=["sleep"])


@pytest.mark.parametrize("name", [*MANY_VALUED, "tag"])
@pytest.mark.parametrize(
    ("values", "said"),
    [
        (3, "{} is 3; it must be text, or a list of texts."),
        (b"secret", "{} is of the type bytes; it must be text, or a list of texts."),
        ({"secret": 1}, "{} is of the type dict; it must be text, or a list of texts."),
        (["secret", 3], "{} holds a value that is 3; each must be text."),
        ([None], "{} holds a value that is None; each must be text."),
        ([["secret"]], "{} holds a value that is of the type list; each must be text."),
        (["secret"] * 51, "{} has 51 values; the most is 50."),
    ],
)
def test_values_that_are_none_or_too_many_are_refused_by_name(
    knowledge_base: KnowledgeBase, name: str, values: object, said: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        knowledge_base.search("secret legs", **{name: values})  # type: ignore[arg-type]
    assert (caught.value.field, str(caught.value)) == (name, said.format(name))
    fifty: dict[str, Any] = {name: [f"-{n}" for n in range(50)]}
    assert knowledge_base.search(QUESTION, **fifty).results


def test_the_reason_tells_a_filter_from_a_condition(knowledge_base: KnowledgeBase) -> None:
    assert knowledge_base.search("zyx -leg", mode="keyword").reason == (
        "Nothing here holds a word of the question and meets the question’s conditions."
    )
    assert knowledge_base.search('"zyx zyx"', article="sleep-hygiene").reason == (
        "No article that the search is narrowed to meets the question’s conditions."
    )

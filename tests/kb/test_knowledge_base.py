"""kb.knowledge_base over the index of `corpus/`"""

from __future__ import annotations

import gc
import re
import sys
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kb
from kb.evaluation import runs
from kb.knowledge_base import MAX_DEPTH, MAX_LIMIT, KnowledgeBase
from kb.opening import open_engine
from kb.question.notice_line import NoticeLine
from kb.schema.errors import IndexDamaged, InvalidRequest, KbError, NotFound
from kb.schema.results import RelatedResponse, SearchResponse
from kb.schema.search_request import SearchRequest
from kb.search import answer
from support.examples import at_most

QUESTIONS = [
    "why do my legs jerk when I fall asleep",
    "sore gums after new dentures",
    "where can I feel the apical pulse",
    "what does reelin do",
    "magnesium",
    'why does my "knee" twitch -dentures',
    "title:vitamin tired",
    "fascic*",
    "stock market crash of 1929",
]


def untimed(answer: Any) -> Any:
    """An answer without how long it took, which is never the same."""
    if isinstance(answer, SearchResponse | RelatedResponse):
        return replace(answer, timings={})
    return answer


def test_the_missions_question_is_answered_from_hypnic_jerks(knowledge_base: KnowledgeBase) -> None:
    response = knowledge_base.search(QUESTIONS[0])
    best = response.results[0]
    assert response.answered in ("confident", "likely")
    assert "jerk" in best.citation.article_title.lower()
    assert best.citation.article_id == "sleep-starts-hypnic-jerks"
    assert best.citation.section_id


def test_a_word_of_the_library_alone_is_never_without_an_answer(
    knowledge_base: KnowledgeBase,
) -> None:
    texts = [
        section.text
        for summary in knowledge_base.articles(limit=1000)
        for section in knowledge_base.article(summary.id).sections
    ]
    words = Counter(word for text in texts for word in re.findall(r"\b[a-z]{6,}\b", text))
    rare = sorted(word for word, count in words.items() if count == 1)[::20]
    assert len(rare) > 40
    for word in rare:
        assert knowledge_base.search(word, exact=True, limit=1).answered != "none", word
    assert knowledge_base.search("zzyzx", limit=1).answered == "none"


def test_a_question_about_something_else_has_no_answer(knowledge_base: KnowledgeBase) -> None:
    assert knowledge_base.search("who won the world cup final in 1998").answered == "none"


def test_notices_come_whatever_operators_and_pages_say(knowledge_base: KnowledgeBase) -> None:
    for question in ("I can't breathe", '"can\'t breathe" -dentures', "title:cant breathe"):
        response = knowledge_base.search(question, limit=1, offset=3)
        assert [notice.id for notice in response.notices] == ["breathing"]
    assert knowledge_base.search(QUESTIONS[0]).notices == ()


def test_a_question_that_means_an_emergency_without_its_words_has_the_conditional_notice(
    index_path: Path,
) -> None:
    question = "he is a funny colour and everything about him looks wrong"
    engine = open_engine(index_path)

    def notices(asked: str) -> list[str]:
        return [each.kind for each in answer(engine, SearchRequest(asked)).notices]

    try:
        assert engine.notice_line is not None  # the index has the model of the line
        assert notices("how do I clean my dentures") == []
        engine.notice_line = NoticeLine("", "", threshold=-1e9, bias=0.0, weights=(0.0,) * 384)
        assert notices(question) == ["conditional"]
        assert set(notices("I can't breathe")) == {"emergency"}
        assert notices("ich habe starke Schmerzen und bekomme keine Luft mehr") == []
        engine.notice_line = None  # as with another model
        assert notices(question) == []
    finally:
        engine.close()


def test_a_spoilt_file_about_words_is_damage(
    index_copy: Path, replace_content: Callable[[Path, bytes], None]
) -> None:
    (generation,) = (index_copy / "generations").iterdir()
    for name in ("notices.json", "vocabulary/keys.npy"):
        kept = (generation / name).read_bytes()
        replace_content(generation / name, kept[:-1])
        with pytest.raises(IndexDamaged, match=name):
            KnowledgeBase.open(index_copy)
        replace_content(generation / name, kept)
    KnowledgeBase.open(index_copy).close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_citation_can_be_verified(knowledge_base: KnowledgeBase, question: str) -> None:
    response = knowledge_base.search(question, limit=MAX_LIMIT)
    assert [result.rank for result in response.results] == [*range(1, len(response.results) + 1)]
    scores = [result.score for result in response.results]
    # Those that diversifying moved back stand behind the others of the first page.
    assert sum(later > earlier for earlier, later in pairwise(scores)) <= 1
    cited = set()
    for result in response.results:
        citation = result.citation
        article = knowledge_base.article(citation.article_id)
        section = article.section(citation.section_id)
        assert section is not None
        assert citation.quote == result.text == section.text[citation.start : citation.end]
        assert (citation.article_title, citation.section_heading) == (
            article.title,
            section.heading,
        )
        assert citation.url == f"/articles/{article.id}#{section.id}"
        assert result.snippet.text == section.text[result.snippet.start : result.snippet.end]
        why = result.explanation
        signals = (why.keyword, why.dense, why.sentence, why.name, why.focus, why.wording)
        total = sum((*signals, why.subject, why.kind))
        assert total == pytest.approx(result.score, abs=1e-12)
        assert why.name_matched in (article.title, *article.aliases)
        cited.add((article.id, section.id))
    assert len(cited) == len(response.results)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_question_gives_the_same_answer(
    knowledge_base: KnowledgeBase, index_path: Path, question: str
) -> None:
    with KnowledgeBase.open(index_path) as other:
        assert untimed(other.search(question)) == untimed(knowledge_base.search(question))


@settings(max_examples=at_most(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.sampled_from(QUESTIONS), limit=st.integers(1, 40), offset=st.integers(0, 60))
def test_every_page_is_a_part_of_one_list(
    knowledge_base: KnowledgeBase, question: str, limit: int, offset: int
) -> None:
    whole = knowledge_base.search(question, limit=MAX_LIMIT)
    page = knowledge_base.search(question, limit=limit, offset=offset)
    # What else its article has is told of what is not on the same page.
    alone = [replace(result, also=()) for result in page.results]
    assert alone == [replace(result, also=()) for result in whole.results[offset : offset + limit]]
    assert page.answered == whole.answered


@pytest.mark.parametrize(
    ("limit", "offset", "field", "parts"),
    [
        (0, 0, "limit", ("limit is 0", "1 to 100")),
        (-1, 0, "limit", ("limit is -1", "1 to 100")),
        (101, 0, "limit", ("limit is 101", "1 to 100")),
        (10_000, 0, "limit", ("limit is 10000", "1 to 100")),
        (10, -1, "offset", ("offset is -1", "at least 0")),
        (100, 901, "offset", ("offset is 901", "limit 100", "1,000")),
        (1, 10**30, "offset", ("1,000",)),
        (1, 10**4300 - 1, "offset", ("1,000",)),  # as many digits as Python reads and prints
    ],
)
def test_a_page_out_of_bounds_is_refused_by_name_value_and_limit(
    knowledge_base: KnowledgeBase, limit: int, offset: int, field: str, parts: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        knowledge_base.search("legs", limit=limit, offset=offset)
    assert caught.value.field == field
    assert all(part in str(caught.value) for part in parts)


def test_the_last_page_there_can_be_is_accepted(knowledge_base: KnowledgeBase) -> None:
    response = knowledge_base.search("legs", limit=MAX_LIMIT, offset=MAX_DEPTH - MAX_LIMIT)
    assert response.results == ()
    assert response.answered != "none"  # what the first page says


@pytest.mark.parametrize(
    ("question", "parts"), [("  \n", ("empty",)), ("secret " * 1429, ("10,003", "4,000"))]
)
def test_a_blank_or_overlong_question_is_refused_without_its_text(
    knowledge_base: KnowledgeBase, question: str, parts: tuple[str, ...]
) -> None:
    for ask in (knowledge_base.search, partial(runs.run, knowledge_base)):
        with pytest.raises(InvalidRequest) as caught:
            ask(question)
        assert caught.value.field == "question"
        assert all(part in str(caught.value) for part in parts)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "question", ["???", "the of and", "🦵🏽", "不安腿", "\ud800leg", "a" * 4000, "-leg"]
)
def test_odd_questions_are_answered_and_can_be_printed(
    knowledge_base: KnowledgeBase, question: str
) -> None:
    response = knowledge_base.search(question)
    assert response.results
    str(response.to_dict()).encode()


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"limit": "3"}, "limit", "limit is '3'; it must be a whole number from 1 to 100."),
        ({"limit": True}, "limit", "limit is True; it must be a whole number from 1 to 100."),
        ({"limit": 2.5}, "limit", "limit is 2.5; it must be a whole number from 1 to 100."),
        ({"limit": None}, "limit", "limit is None; it must be a whole number from 1 to 100."),
        ({"limit": 0}, "limit", "limit is 0; it must be from 1 to 100."),
        (
            {"offset": "secret"},
            "offset",
            "offset is a text; it must be a whole number of at least 0.",
        ),
        ({"question": None}, "question", "question is None; it must be text."),
        (
            {"question": ["secret"]},
            "question",
            "question is of the type list; it must be text.",
        ),
        ({"question": b"secret"}, "question", "question is of the type bytes; it must be text."),
        ({"topic": 3}, "topic", "topic is 3; it must be text, or a list of texts."),
        ({"tag": 3}, "tag", "tag is 3; it must be text, or a list of texts."),
        (
            {"updated_since": date(2026, 1, 31)},
            "updated_since",
            "updated_since is of the type date; it must be text.",
        ),
    ],
)
def test_an_argument_of_a_wrong_type_is_named_with_its_value(
    knowledge_base: KnowledgeBase, given: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        knowledge_base.search(**{"question": "secret legs", **given})
    assert (caught.value.field, str(caught.value)) == (field, said)


def test_whole_numbers_of_numpy_are_whole_numbers(knowledge_base: KnowledgeBase) -> None:
    assert len(knowledge_base.search("legs", limit=np.int64(3)).results) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ask",
    [
        lambda opened: opened.suggest(None),
        lambda opened: opened.suggest("a", "3"),
        lambda opened: opened.article(None),
        lambda opened: opened.articles("3"),
        lambda opened: opened.related("sleep-hygiene", limit="3"),
        lambda opened: opened.related(3),
        lambda opened: runs.run(opened, "legs", depth="3"),
        lambda opened: runs.run(opened, None),
    ],
)
def test_other_ways_to_ask_name_such_arguments_too(
    knowledge_base: KnowledgeBase, ask: Callable[[Any], object]
) -> None:
    with pytest.raises(InvalidRequest, match=r" is (None|'?3'?); it must be "):
        ask(knowledge_base)


@pytest.mark.parametrize(
    "ask",
    [
        lambda opened: opened.search("legs"),
        lambda opened: opened.search('legs "no such phrase anywhere"'),  # no result to look up
        lambda opened: opened.search("legs", article="no-such"),
        lambda opened: opened.suggest("sleep sta"),
        lambda opened: opened.related("sleep-hygiene"),
        lambda opened: runs.rank(opened, "legs"),
        lambda opened: runs.run(opened, "legs"),
        lambda opened: opened.articles(),
        lambda opened: opened.article("sleep-hygiene"),
    ],
)
def test_what_is_asked_after_the_end_is_told_so(
    index_path: Path, ask: Callable[[KnowledgeBase], object]
) -> None:
    with KnowledgeBase.open(index_path) as opened:
        pass
    with pytest.raises(KbError, match=r"was closed: open it again") as caught:
        ask(opened)
    assert type(caught.value) is KbError


def test_conditions_that_nothing_meets_give_no_result(knowledge_base: KnowledgeBase) -> None:
    response = knowledge_base.search('legs "no such phrase anywhere"')
    assert (response.results, response.answered) == ((), "none")
    assert runs.run(knowledge_base, 'legs "no such phrase anywhere"') == []


def test_conditions_keep_out_what_does_not_meet_them(knowledge_base: KnowledgeBase) -> None:
    for result in knowledge_base.search("heading:causes legs", limit=50).results:
        assert "cause" in result.citation.section_heading.lower()
    for result in knowledge_base.search("twitching -sleep", limit=50).results:
        assert "sleep" not in result.text.lower().split()


ASKED: list[Callable[[KnowledgeBase], Any]] = [
    *(partial(KnowledgeBase.search, question=question) for question in QUESTIONS),
    *(
        partial(KnowledgeBase.search, question=QUESTIONS[0], **options)
        for options in (
            {"mode": "keyword", "group_by": "article", "topic": "sleep"},
            {"mode": "dense", "group_by": "passage", "language": "en", "facets": True},
            {"updated_since": "2026-01-01", "offset": 5, "explain": True},
            {"article": "sleep-hygiene", "exact": True},
        )
    ),
    partial(KnowledgeBase.search, question='"muscle twitches" -"at night" leg* -title:sleep'),
    partial(KnowledgeBase.search, question="pourquoi mes jambes tressautent la nuit"),
    partial(KnowledgeBase.search, question="leg twiching at nigth"),
    partial(KnowledgeBase.related, article_id="sleep-hygiene"),
    partial(KnowledgeBase.related, article_id="sleep-hygiene", section_id="top"),
    partial(KnowledgeBase.suggest, text="sleep sta"),
    partial(KnowledgeBase.article, article_id="sleep-hygiene"),
    partial(KnowledgeBase.articles, limit=7, offset=3),
]


def test_sixteen_threads_get_what_one_gets(index_path: Path) -> None:
    with KnowledgeBase.open(index_path) as shared:
        expected = [untimed(ask(shared)) for ask in ASKED] * 4
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        # Opened anew, so that what is made at first use is made by many at once.
        with KnowledgeBase.open(index_path) as fresh, ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda ask: untimed(ask(fresh)), ASKED * 4))
    finally:
        sys.setswitchinterval(interval)
    assert answers == expected


def test_every_article_can_be_reached_by_its_title(knowledge_base: KnowledgeBase) -> None:
    summaries = knowledge_base.articles(limit=1000)
    assert len(summaries) == knowledge_base.article_count > 20
    for summary in summaries:
        article = knowledge_base.article(summary.id)
        assert article.id == summary.id
        assert len(article.sections) == summary.section_count
        first = knowledge_base.search(article.title.replace('"', ""), limit=1).results[0]
        assert first.citation.article_id == article.id


def test_every_section_with_text_is_among_the_results_of_some_depth(
    knowledge_base: KnowledgeBase,
) -> None:
    found = {unit for unit, _ in runs.run(knowledge_base, "legs", "section", MAX_DEPTH)}
    expected = {
        f"{article.id}#{section.id}"
        for article in map(knowledge_base.article, (a.id for a in knowledge_base.articles(1000)))
        for section in article.sections
        if section.text.strip()
    }
    assert found == expected


def test_the_list_of_articles_is_paged(knowledge_base: KnowledgeBase) -> None:
    whole = knowledge_base.articles(limit=1000)
    assert knowledge_base.articles(limit=5, offset=3) == whole[3:8]
    assert [summary.title.lower() for summary in whole] == sorted(a.title.lower() for a in whole)
    for field, page in (("limit", {"limit": 0}), ("offset", {"offset": -1})):
        with pytest.raises(InvalidRequest) as caught:
            knowledge_base.articles(**page)
        assert caught.value.field == field


def test_an_unknown_article_is_not_found_and_named(knowledge_base: KnowledgeBase) -> None:
    for name in ("nothing", "", "\udcff"):
        with pytest.raises(NotFound) as caught:
            knowledge_base.article(name)
        assert repr(name) in str(caught.value)


def test_linked_articles_are_those_that_are_here_once_each(knowledge_base: KnowledgeBase) -> None:
    article = knowledge_base.article("pulse-points")
    title = knowledge_base.article("resting-heart-rate").title
    named = replace(
        article,
        related=("nothing", "stethoscope-basics", title.upper(), "resting-heart-rate", article.id),
    )
    found = [summary.id for summary in knowledge_base.linked(named)]
    assert found == ["stethoscope-basics", "resting-heart-rate"]


@pytest.mark.parametrize("base", ["https://kb.example.org/help", "https://kb.example.org/help/"])
def test_a_base_url_stands_before_the_path_of_citations(index_path: Path, base: str) -> None:
    with KnowledgeBase.open(index_path, base_url=base) as opened:
        citation = opened.search("sore gums", limit=1).results[0].citation
    assert citation.url == (
        f"https://kb.example.org/help/articles/{citation.article_id}#{citation.section_id}"
    )


def test_runs_are_the_ranking_by_the_unit_asked_for(knowledge_base: KnowledgeBase) -> None:
    """The companion, which comes along instead of being a result, is in the run at its place."""
    question = QUESTIONS[0]
    response = knowledge_base.search(question, limit=19)
    results = response.results
    sections = runs.run(knowledge_base, question, "section", 20)
    assert response.companion is not None
    care = response.companion.citation
    assert [unit for unit, _ in sections if unit != f"{care.article_id}#{care.section_id}"] == [
        f"{result.citation.article_id}#{result.citation.section_id}" for result in results
    ]
    scores = [score for _, score in sections]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(results[0].score, abs=1e-6)
    articles = runs.run(knowledge_base, question, "article", 5)
    assert [unit for unit, _ in articles] == list(
        dict.fromkeys(
            result.citation.article_id for result in knowledge_base.search(question, 100).results
        )
    )[:5]
    passages = runs.run(knowledge_base, question, "passage", 3)
    citation = results[0].citation
    assert passages[0][0] == f"{citation.article_id}#{citation.section_id}@{citation.start}"
    for depth in (0, -1, 1001):
        with pytest.raises(InvalidRequest, match=f"depth is {depth}"):
            runs.run(knowledge_base, question, "section", depth)


def test_closing_twice_is_once(index_path: Path) -> None:
    with KnowledgeBase.open(index_path) as opened:
        opened.close()


def test_files_that_verify_but_cannot_be_opened_are_damage(
    index_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("no such tensor")

    monkeypatch.setattr("kb.opening.Encoder", broken)
    with pytest.raises(IndexDamaged, match=r"no such tensor.*kb build"):
        KnowledgeBase.open(index_copy)


def test_the_package_offers_its_names_and_no_others() -> None:
    assert all(getattr(kb, name) for name in kb.__all__)
    assert kb.KnowledgeBase is KnowledgeBase
    with pytest.raises(AttributeError, match="nothing"):
        kb.nothing  # noqa: B018


@pytest.mark.parametrize("typed", ["syatica", "muscletwitching", "electromiografy", "takycardia"])
def test_suggestions_forgive_what_a_question_forgives(
    knowledge_base: KnowledgeBase, typed: str
) -> None:
    assert knowledge_base.suggest(typed)


def test_suggestions_lead_to_the_configured_address(index_path: Path) -> None:
    with KnowledgeBase.open(index_path, base_url="https://example.org/kb/") as opened:
        (first, *_) = opened.suggest("restless")
    assert first.url == "https://example.org/kb/articles/restless-legs-syndrome"


def test_a_closed_knowledge_base_is_let_go_at_once(index_path: Path) -> None:
    """A cycle would keep its arrays mapped, and their files open, until the collector comes by."""
    gc.disable()
    try:
        opened = KnowledgeBase.open(index_path)
        opened.warm_up()
        assert opened.search('"sleep starts" -denture', facets=True).results
        watched = weakref.ref(opened)
        opened.close()
        del opened
        assert watched() is None
    finally:
        gc.enable()


def test_the_beginning_of_a_word_that_is_found_is_an_answer(knowledge_base: KnowledgeBase) -> None:
    for question in ("mag*", "magn*", "dent* gum*"):
        response = knowledge_base.search(question)
        assert response.results, question
        assert response.answered != "none", question
    assert knowledge_base.search("zyx*").answered == "none"
    assert knowledge_base.search("mag* of a car radio on the motorway").answered == "none"


def test_beneath_a_notice_no_article_that_is_only_likely_says_when_to_seek_care(
    knowledge_base: KnowledgeBase,
) -> None:
    for question in ("i cant breathe", "my baby swallowed a battery", "I took too many pills"):
        response = knowledge_base.search(question)
        assert response.notices, question
        assert response.answered == "confident" or response.companion is None, question

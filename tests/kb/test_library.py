"""kb.library: a folder that is built anew while it is asked, and a service behind the same methods"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.build.build import build
from kb.knowledge_base import KnowledgeBase
from kb.library import FolderLibrary, Library, full_link, open_library
from kb.schema.errors import IndexMissing, InvalidRequest, NotFound
from kb.schema.search_request import SearchRequest

CORPUS = Path(__file__).parents[2] / "corpus"
QUESTION = "why do my legs jerk when I fall asleep"


@pytest.fixture(params=["folder", "service"])
def library(request: pytest.FixtureRequest, index_path: Path) -> Library:
    if request.param == "folder":
        opened = open_library(index_path)
    else:
        opened = open_library(url=request.getfixturevalue("service_url"))
    request.addfinalizer(opened.close)
    return opened


def test_a_folder_and_a_service_answer_alike(
    library: Library, knowledge_base: KnowledgeBase
) -> None:
    told = library.answer(SearchRequest(QUESTION, limit=3, topic="sleep"))
    assert replace(told, timings={}) == replace(
        knowledge_base.search(QUESTION, 3, topic="sleep"), timings={}
    )
    several = {"topic": ["nerves", "muscles", "-sleep"], "source": {"-nhs.uk"}}
    assert library.answer(SearchRequest(QUESTION, **several)).results == (  # type: ignore[arg-type]
        knowledge_base.search(QUESTION, **several).results  # type: ignore[arg-type]
    )
    page = library.articles(limit=2, offset=1)
    assert (page.total, list(page.articles)) == (
        knowledge_base.article_count,
        knowledge_base.articles(2, 1),
    )
    article_id = page.articles[0].id
    assert library.article(article_id) == knowledge_base.article(article_id)
    with pytest.raises(NotFound):
        library.article("no-such-article")
    with pytest.raises(InvalidRequest, match="limit"):
        library.answer(SearchRequest(QUESTION, limit=0))


def test_one_of_folder_and_service_is_asked_for(index_path: Path) -> None:
    for both in ({}, {"index": index_path, "url": "http://127.0.0.1"}):
        with pytest.raises(InvalidRequest, match="either"):
            open_library(**both)  # type: ignore[arg-type]
    with pytest.raises(IndexMissing):
        open_library(index_path / "nothing")


def test_a_link_is_put_behind_the_public_address(index_path: Path) -> None:
    library = FolderLibrary(index_path, base_url="https://kb.example.org/kb/")
    try:
        assert full_link(library, "/articles/a#b") == "https://kb.example.org/kb/articles/a#b"
        cited = library.answer(SearchRequest(QUESTION, limit=1)).results[0].citation.url
        assert full_link(library, cited) == cited
        assert cited.startswith("https://kb.example.org/kb/articles/")
    finally:
        library.close()


def test_a_generation_that_was_published_answers_the_next_question(
    index_copy: Path, tmp_path: Path, replace_content: Callable[[Path, bytes], None]
) -> None:
    library = FolderLibrary(index_copy)
    try:
        before = library.answer(SearchRequest(QUESTION, limit=1)).generation
        current = (index_copy / "CURRENT").read_bytes()
        # What is named but is not there is passed over.
        replace_content(index_copy / "CURRENT", b"20200101T000000000000Z-0123456789abcdef\n")
        assert library.answer(SearchRequest(QUESTION, limit=1)).generation == before
        replace_content(index_copy / "CURRENT", current)

        corpus = shutil.copytree(CORPUS, tmp_path / "corpus")
        (corpus / "hiccups.md").write_text("# Hiccups\n\nA hiccup is a twitch of the diaphragm.\n")
        report = build(index_copy, [Path(corpus)])
        assert report.generation != before
        answer = library.answer(SearchRequest("what is a hiccup", limit=1))
        assert answer.generation == report.generation
        assert answer.results[0].citation.article_id == "hiccups"
        assert library.article("hiccups").title == "Hiccups"
    finally:
        library.close()


def test_a_generation_stays_open_for_the_questions_that_use_it(index_copy: Path) -> None:
    library = FolderLibrary(index_copy)
    try:
        with library._use() as old:
            library._seen = "another, so that the live one is new"
            assert library.answer(SearchRequest(QUESTION, limit=1)).results
            assert library._opened.knowledge_base is not old
            assert old.search(QUESTION, 1).results, "it is not closed under a question"
        threads = [
            threading.Thread(target=library.answer, args=(SearchRequest(QUESTION),))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert library._opened.users == 0
    finally:
        library.close()

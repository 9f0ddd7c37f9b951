"""kb.library: a folder that is built anew while it is asked, and a service behind the same methods"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from kb.knowledge_base import KnowledgeBase
from kb.library import FolderLibrary, Library, full_link, open_library
from kb.schema.errors import IndexMissing, IndexUnusable, InvalidRequest, NotFound
from kb.schema.search_request import SearchRequest
from support.places import CORPUS
from support.questions import QUESTION


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
        report = build(BuildRequest(index_copy, [Path(corpus)]))
        assert report.generation != before
        answer = library.answer(SearchRequest("what is a hiccup", limit=1))
        assert answer.generation == report.generation
        assert answer.results[0].citation.article_id == "hiccups"
        assert library.article("hiccups").title == "Hiccups"
    finally:
        library.close()


def test_many_threads_are_answered_while_generations_are_published(
    index_copy: Path, replace_content: Callable[[Path, bytes], None]
) -> None:
    library = FolderLibrary(index_copy)
    answers = []

    def ask() -> None:
        answers.extend(library.answer(SearchRequest(QUESTION, limit=1)).results for _ in range(20))

    try:
        current = (index_copy / "CURRENT").read_bytes()
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        missing = b"20200101T000000000000Z-0123456789abcdef\n"
        for content in (missing, current) * 3:  # a generation is opened for each
            replace_content(index_copy / "CURRENT", content)
        for thread in threads:
            thread.join()
        assert len(answers) == 80
        assert all(answers)
    finally:
        library.close()


def test_a_closed_library_says_so(index_path: Path) -> None:
    library = FolderLibrary(index_path)
    library.close()
    with pytest.raises(IndexUnusable, match="closed"):
        library.answer(SearchRequest(QUESTION))

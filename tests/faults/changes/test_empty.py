"""A library from which every article was removed is an empty one, and no fault."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from fastapi.testclient import TestClient

from indexer.corpus.files import list_files
from kb.knowledge_base import KnowledgeBase
from kb_cli.main import run
from search_api.service.app import create_app
from search_api.state.settings import load_settings
from support.commands import Kb
from support.library import Library, held, leftovers, markdown

PAGES = (
    *("/", "/?q=iron", "/articles", "/status", "/docs", "/demo", "/openapi.json", "/healthz"),
    *("/?q=iron&tag=sleep&source=nhs.uk&shown=20", "/api/v1/articles"),
)


def test_when_the_last_article_is_removed_everything_works_and_says_that_there_is_none(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    code, _, err = kb("remove", *library.texts)
    assert code == 0, err
    assert f"0 added, 0 changed, {len(library.texts)} removed" in err
    assert list_files([library.corpus]) == ([], [])
    assert held(library.index) == {}

    code, _, err = kb("build")
    assert code == 0, err
    assert "Nothing to do" in err
    assert kb("build", "--if-stale")[0] == 0
    code, out, _ = kb("status")
    assert code == 0
    assert "0 articles" in out
    assert "Stale: nothing" in out
    assert kb("check")[0] == 0
    for question in ("iron", '"the cause"', "ar*", "-iron", "wie viel Eisen brauche ich am Tag?"):
        code, out, err = kb("search", question)
        assert code == 0, err
        assert "This library holds no articles." in out + err
        found = json.loads(kb("search", question, "--json")[1])
        assert (found["answered"], found["results"]) == ("none", [])
        assert found["reason"] == "This library holds no articles."
    assert kb("show", "article-1")[0] == 1
    assert kb("gc")[0] == 0
    assert kb("backup", tmp_path / "backup.tar")[0] == 0
    elsewhere = tmp_path / "elsewhere"
    assert run(["restore", str(tmp_path / "backup.tar"), "--index", str(elsewhere)]) == 0
    assert held(elsewhere) == {}
    with KnowledgeBase.open(library.index) as opened:
        assert opened.suggest("ir") == ()
        assert opened.suggest("iorn and salt") == ()

    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    code, _, err = kb("add", incoming)
    assert code == 0, err
    assert held(library.index) == {"news": "tea"}
    assert leftovers(library.index) == []


def test_the_service_of_an_empty_library_serves_every_page(kb: Kb, library: Library) -> None:
    assert kb("remove", *library.texts)[0] == 0
    with TestClient(create_app(load_settings(index=library.index))) as client:
        for page in PAGES:
            assert client.get(page).status_code == 200, page
        assert "holds no articles" in client.get("/?q=iron").text
        assert client.get("/articles/article-1").status_code == 410
        assert client.get("/api/v1/articles/article-1").status_code == 410
        assert client.get("/articles/never").status_code == 404
        assert client.get("/api/v1/articles/never").status_code == 404
        assert client.get("/api/v1/suggest?q=ir").json()["suggestions"] == []
        assert client.get("/healthz").json()["status"] == "ok"
        asked = {"question": "iron", "facets": True, "tag": "sleep", "limit": 100}
        assert client.post("/api/v1/search", json=asked).json()["results"] == []


def test_the_last_article_is_removed_from_what_was_rolled_back_to(kb: Kb, library: Library) -> None:
    assert kb("rollback")[0] == 0
    assert kb("remove", *library.texts)[0] == 0
    assert held(library.index) == {}


def test_a_corpus_that_is_empty_by_oversight_leaves_the_index_as_it_was(
    kb: Kb, library: Library
) -> None:
    before = held(library.index)
    shutil.move(library.corpus, library.root / "unmounted")
    library.corpus.mkdir()
    code, _, err = kb("build")
    assert code == 1
    assert "no article is in" in err
    assert held(library.index) == before

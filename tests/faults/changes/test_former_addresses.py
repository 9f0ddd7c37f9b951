"""What was renamed is reached by its old address, and what was withdrawn says so: in commands, API and pages."""

from __future__ import annotations

import html
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from indexer.identity.ledger import FILE as LEDGER
from kb.client import ArticleMoved as MovedAtService
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import ArticleMoved, ArticleWithdrawn
from kb_cli.main import run
from search_api.http.parts import part
from search_api.state.live import LiveIndex
from support.commands import Kb
from support.library import Library, markdown
from support.service import API, ended, serving, working


@pytest.fixture
def shelf(library: Library) -> Library:
    """Six articles that state their ids, and one by its place."""
    (library.corpus / "skin").mkdir()
    text = markdown("burns", "water").split("---\n")[2]
    (library.corpus / "skin" / "burns.md").write_text(f"# About burns\n\n{text}")
    library.build()
    return library


@pytest.fixture
def service(shelf: Library) -> Iterator[TestClient]:
    with working(shelf), serving(shelf) as client:
        client.follow_redirects = False
        yield client


def rename(shelf: Library) -> None:
    (shelf.corpus / "skin" / "burns.md").rename(shelf.corpus / "scalds.md")


def test_a_renamed_article_is_reached_by_its_old_address(kb: Kb, shelf: Library) -> None:
    with KnowledgeBase.open(shelf.index) as opened:
        before = opened.article("burns")
    rename(shelf)
    code, _, err = kb("build")
    assert code == 0
    assert "burns is scalds now, and its address leads there" in err
    assert "0 removed, 1 moved" in err

    code, out, err = kb("show", "burns#causes")
    assert code == 0
    assert "its id is 'scalds' now" in err
    assert before.sections[1].text in out
    assert kb("addresses")[1] == "burns: moved to scalds\n"
    with KnowledgeBase.open(shelf.index) as opened:
        with pytest.raises(ArticleMoved) as moved:
            opened.article("burns")
        assert moved.value.to == "scalds"
        results = opened.search("the cause of burns", article="burns").results
        assert {result.citation.article_id for result in results} == {"scalds"}


def test_a_cited_passage_is_found_after_a_move_and_an_edit(
    kb: Kb, shelf: Library, service: TestClient
) -> None:
    page = html.unescape(service.get("/?q=what is the cause of burns").text)
    link = re.search(r'/articles/burns\?start=[^"#]*section=causes[^"#]*', page)
    assert link is not None
    rename(shelf)
    assert service.get(f"{API}/status").json()["stale"]["moved"] == ["burns"]
    assert kb("build")[0] == 0
    part(service.app, LiveIndex).refresh()  # type: ignore[arg-type]
    answer = service.get(link[0])
    assert answer.status_code == 301
    assert answer.headers["location"] == link[0].replace("burns?", "scalds?")
    assert marked(service.get(answer.headers["location"]).text).startswith("The cause of burns")

    scalds = shelf.corpus / "scalds.md"
    scalds.write_text(
        scalds.read_text().replace("The cause", "This has been said before. The cause")
    )
    assert kb("build")[0] == 0
    part(service.app, LiveIndex).refresh()  # type: ignore[arg-type]
    assert marked(service.get(answer.headers["location"]).text).startswith("The cause of burns")
    scalds.write_text(scalds.read_text().replace("## Causes", "## Why It Happens"))
    assert kb("build")[0] == 0
    part(service.app, LiveIndex).refresh()  # type: ignore[arg-type]
    assert marked(service.get(answer.headers["location"]).text).startswith("The cause of burns")


def marked(page: str) -> str:
    """The text of an article's page that is highlighted."""
    found = BeautifulSoup(page, "html.parser").find("mark", id="page.cited")
    assert found is not None
    return found.get_text()


def test_a_withdrawn_article_says_so_everywhere(
    kb: Kb, shelf: Library, service: TestClient
) -> None:
    code, _, err = kb("remove", "article-1", "--because", "Its advice is out of date.")
    assert code == 0, err
    assert f"deleted {shelf.corpus / 'article-1.md'}" in err
    part(service.app, LiveIndex).refresh()  # type: ignore[arg-type]
    for path in ("/articles/article-1", f"{API}/articles/article-1"):
        answer = service.get(path, headers={"Accept": "application/json, text/html;q=0.5"})
        assert answer.status_code == 410, path
        assert "Its advice is out of date." in answer.text
        assert "About article-1" in answer.text
    page = service.get("/articles/article-1", headers={"Accept": "text/html"})
    assert page.status_code == 410
    assert "Its advice is out of date." in page.text
    code, _, err = kb("show", "article-1")
    assert code == 1
    assert "was withdrawn on" in err

    assert kb("remove", "article-2", "--see", "article-3")[0] == 0
    part(service.app, LiveIndex).refresh()  # type: ignore[arg-type]
    page = service.get("/articles/article-2?start=0&end=4&section=causes")
    assert page.status_code == 301
    assert page.headers["location"] == "/articles/article-3?start=0&end=4&section=causes"
    answer = service.get(f"{API}/articles/article-2")
    assert answer.headers["location"] == f"{API}/articles/article-3"
    assert answer.json()["moved_to"] == "article-3"
    assert answer.headers["cache-control"] == "no-cache"
    code, out, _ = kb("addresses", "--json")
    assert [(each["id"], each["see"]) for each in json.loads(out)] == [
        ("article-1", ""),
        ("article-2", "article-3"),
    ]


def test_withdrawal_by_the_api(service: TestClient) -> None:
    answer = service.delete(f"{API}/articles/article-4?because=Retracted&see=article-0")
    assert answer.status_code == 202, answer.text
    assert ended(service, answer.json()["id"])["state"] == "done"
    assert service.get(f"{API}/articles/article-4").headers["location"].endswith("article-0")
    refused = service.delete(f"{API}/articles/article-0?see=nobody")
    assert refused.status_code == 422
    assert "'nobody'" in refused.json()["detail"]


def test_a_released_address_is_free(kb: Kb, shelf: Library) -> None:
    rename(shelf)
    assert kb("build")[0] == 0
    assert kb("addresses", "--release", "scalds")[0] == 1  # an article's own
    assert kb("addresses", "--release", "burns")[0] == 0
    with KnowledgeBase.open(shelf.index) as opened, pytest.raises(Exception, match="no article"):
        opened.article("burns")
    (shelf.corpus / "burns.md").write_text("# Another\n\nSomething else.\n")
    assert kb("build")[0] == 0
    with KnowledgeBase.open(shelf.index) as opened:
        assert opened.article("burns").title == "Another"


def test_a_purged_article_is_in_no_generation_and_backups_that_hold_it_are_named(
    kb: Kb, shelf: Library, tmp_path: Path
) -> None:
    word = "zygomatic"
    shelf.put("secret", word)
    shelf.build()
    for name in ("kept.tar", "gone.tar"):
        assert kb("backup", tmp_path / name)[0] == 0
    (tmp_path / "gone.tar").unlink()
    shelf.put("article-5", "darker")
    shelf.build()
    code, out, err = kb("remove", "secret", "--purge", "--json")
    assert code == 0, err
    assert str(tmp_path / "kept.tar") in err
    assert "gone.tar" in err
    assert "it is not there now" in err
    assert json.loads(out)["purged"]["generations_kept"] == []
    held = [path for path in shelf.index.rglob("*") if path.is_file()]
    assert len(shelf.generations()) == 1
    for path in held:
        assert word.encode() not in path.read_bytes(), path
    assert word not in (shelf.corpus / LEDGER).read_text()
    with KnowledgeBase.open(shelf.index) as opened:
        assert opened.search(f'"{word}"').results == ()
        with pytest.raises(ArticleWithdrawn):
            opened.article("secret")
    assert kb("check")[0] == 0


def test_the_ledger_goes_with_a_backup(kb: Kb, shelf: Library, tmp_path: Path) -> None:
    rename(shelf)
    assert kb("build")[0] == 0
    assert kb("backup", tmp_path / "backup.tar")[0] == 0
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert f"corpora/0/{LEDGER}" in archive.getnames()
    index, corpus = tmp_path / "new" / "index", tmp_path / "new" / "corpus"
    arguments = ("--index", str(index), "--corpus", str(corpus))
    assert run(["restore", str(tmp_path / "backup.tar"), *arguments]) == 0
    assert (corpus / LEDGER).read_bytes() == (shelf.corpus / LEDGER).read_bytes()
    assert run(["build", *arguments]) == 0
    with KnowledgeBase.open(index) as opened, pytest.raises(ArticleMoved):
        opened.article("burns")


def test_an_article_leaves_on_the_day_it_expires_though_nothing_is_built(
    kb: Kb, shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = markdown("flu", "winter").replace("---\nid", "---\nexpires: 2999-03-01\nid")
    (shelf.corpus / "flu.md").write_text(page)
    assert kb("build")[0] == 0
    with KnowledgeBase.open(shelf.index) as opened:
        assert opened.article("flu").expires == "2999-03-01"
    monkeypatch.setattr("kb.opening.today", lambda: "2999-03-01")
    with KnowledgeBase.open(shelf.index) as opened:
        assert opened.search('"winter"').results == ()
        with pytest.raises(ArticleWithdrawn, match="expired on 2999-03-01"):
            opened.article("flu")


def test_a_client_is_told_where_an_article_went(kb: Kb, shelf: Library) -> None:
    from kb.client.errors import error_of

    content = json.dumps({"moved_to": "scalds", "detail": "It has moved."}).encode()
    error = error_of(301, {"content-type": "application/problem+json"}, content, ())
    assert isinstance(error, MovedAtService)
    assert isinstance(error, ArticleMoved)
    assert error.to == "scalds"

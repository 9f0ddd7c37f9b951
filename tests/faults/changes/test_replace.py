"""A corpus that is not there, or a build that would take most of a library, changes nothing unless it is told to"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import CorpusError
from kb.storage.open_newest import removed_articles
from support.commands import commands
from support.json_lines import write_records
from support.library import Library, held, leftovers, markdown
from support.service import API, MARKDOWN, ended, serving, working

Kb = Callable[..., tuple[int, str]]


@pytest.fixture
def kb(shelf: Library, capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs a command on the library's index in this process: exit code and stderr."""
    call = commands(capsys, shelf.index)
    return lambda *arguments: call(*arguments)[::2]


def ids(library: Library) -> set[str]:
    with KnowledgeBase.open(library.index, verify="full") as opened:
        assert opened.damage is None
        return {summary.id for summary in opened.articles()}


def refused(
    kb: Kb, library: Library, *named: object, command: tuple[object, ...] = ("build",)
) -> None:
    """The command says so, and leaves everything as it was."""
    live, before = library.live(), ids(library)
    code, err = kb(*command)
    assert code == 1, err
    for each in (*named, "Nothing was changed", "kb build --replace"):
        assert str(each) in err
    assert library.live() == live
    assert ids(library) == before
    assert leftovers(library.index) == []


def move_away(library: Library) -> None:
    library.corpus.rename(library.root / "unmounted")


def empty(library: Library) -> None:
    move_away(library)
    library.corpus.mkdir()


def spoil(library: Library) -> None:
    for path in library.corpus.iterdir():
        path.write_bytes(b"\xff")


@pytest.mark.parametrize("lose", [move_away, empty, spoil])
def test_a_corpus_that_is_gone_empty_or_unreadable_takes_nothing_away(
    kb: Kb, library: Library, lose: Callable[[Library], None]
) -> None:
    lose(library)
    refused(kb, library, library.corpus, "6 of the 6 published articles")
    refused(kb, library, library.corpus, command=("build", "--if-stale"))


@pytest.mark.parametrize("lose", [move_away, empty, spoil])
def test_one_of_several_corpora_counts_however_small_it_is(
    kb: Kb, library: Library, tmp_path: Path, lose: Callable[[Library], None]
) -> None:
    """And with --replace what is left of the others is the library."""
    other = tmp_path / "other"
    other.mkdir()
    for number in range(8):
        (other / f"other-{number}.md").write_text(markdown(f"other-{number}", "tea"))
    corpora = ("--corpus", library.corpus, "--corpus", other)
    assert kb("build", *corpora)[0] == 0
    lose(library)
    refused(kb, library, library.corpus, "6 of the 14 published articles")
    assert kb("build", "--replace")[0] == (1 if lose is spoil else 0)
    assert ids(library) == {f"other-{number}" for number in range(8)}


def test_a_corpus_alone_that_is_missing_is_not_replaced_by_nothing(
    kb: Kb, library: Library
) -> None:
    move_away(library)
    refused(kb, library, library.corpus, command=("build", "--replace"))
    library.corpus.mkdir()
    assert kb("build", "--replace")[0] == 0
    assert ids(library) == set()


def test_more_than_half_is_too_much_and_half_is_not(kb: Kb, library: Library) -> None:
    for number in range(3):
        library.drop(f"article-{number}")
    assert kb("build")[0] == 0
    assert held(library.index) == library.texts
    for number in (3, 4):
        library.drop(f"article-{number}")
    refused(kb, library, library.corpus, "2 of the 3 published articles")
    assert kb("build", "--replace")[0] == 0
    assert held(library.index) == library.texts
    assert {"article-3", "article-4"} <= removed_articles(library.index)


def test_articles_that_cannot_be_read_count_as_taken(kb: Kb, library: Library) -> None:
    for number in range(3):
        (library.corpus / f"article-{number}.md").write_bytes(b"\xff")
    library.drop("article-3")
    refused(kb, library, "4 of the 6 published articles", "not UTF-8", "and 2 more")


def test_a_folder_that_cannot_be_listed_takes_its_articles_with_it(
    kb: Kb, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = library.corpus / "deep"
    deep.mkdir()
    for number in range(4):
        (library.corpus / f"article-{number}.md").rename(deep / f"article-{number}.md")
    assert kb("build")[0] == 0
    real = os.walk

    def walk(root: Any, onerror: Any = None) -> Iterator[Any]:
        for folder, names, files in real(root, onerror=onerror):
            if "deep" in names:
                names.remove("deep")
                if onerror is not None:
                    onerror(PermissionError(13, "Permission denied", str(deep)))
            yield folder, names, files

    monkeypatch.setattr("indexer.corpus.files.os.walk", walk)
    refused(kb, library, "4 of the 6 published articles", f"{deep}: cannot be listed")
    assert kb("build", "--replace")[0] == 1
    # They were not removed, and so an older generation may show them.
    assert removed_articles(library.index).isdisjoint(f"article-{n}" for n in range(4))


def test_another_corpus_in_the_place_of_all_others_has_to_be_meant(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "news.md").write_text(markdown("news", "tea"))
    command = ("build", "--corpus", other)
    refused(kb, library, other, "6 of the 6 published articles are not in", command=command)
    assert kb(*command, "--replace")[0] == 0
    assert ids(library) == {"news"}


def test_a_corpus_that_moved_and_files_that_were_renamed_lose_nothing(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    for path in library.corpus.glob("*.md"):
        path.write_text(path.read_text().replace(f"id: {path.stem}\n", ""))
    assert kb("build")[0] == 0
    moved = tmp_path / "moved"
    library.corpus.rename(moved)
    assert kb("build", "--corpus", moved)[0] == 0
    for path in list(moved.glob("*.md")):
        path.rename(moved / f"new-{path.name}")
    code, err = kb("build")
    assert code == 0, err
    assert ids(library) == {f"new-article-{number}" for number in range(6)}


def test_what_is_removed_by_id_is_exempt_down_to_nothing(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    lines = [
        {"id": f"md-{n}", "title": f"Vitamin {n}", "sections": [{"id": f"s{n}", "text": "Bones."}]}
        for n in range(3)
    ]
    collection = tmp_path / "collection.jsonl"
    write_records(collection, lines)
    assert kb("build", "--corpus", library.corpus, "--corpus", collection)[0] == 0
    assert kb("remove", *(f"article-{number}" for number in range(6)), "md-0")[0] == 0
    assert ids(library) == {"md-1", "md-2"}
    assert kb("remove", "md-1", "md-2")[0] == 0
    assert ids(library) == set()
    assert kb("build")[0] == 0


def test_removing_by_id_excuses_nothing_else(kb: Kb, library: Library) -> None:
    for number in range(4):
        library.drop(f"article-{number}")
    refused(kb, library, "4 of the 6 published articles", command=("remove", "article-4"))
    assert kb("build", "--replace")[0] == 0


def test_of_a_library_of_one_article_another_is_all_that_there_is_to_lose(
    kb: Kb, library: Library
) -> None:
    assert kb("remove", *(f"article-{number}" for number in range(1, 6)))[0] == 0
    (library.corpus / "article-0.md").write_text(markdown("article-0", "rewritten"))
    assert kb("build")[0] == 0
    (library.corpus / "article-0.md").rename(library.corpus / "other-name.md")
    assert kb("build")[0] == 0
    (library.corpus / "other-name.md").unlink()
    (library.corpus / "news.md").write_text(markdown("news", "tea"))
    refused(kb, library, "1 of the 1 published articles")


def test_nothing_that_was_published_is_forgotten_since_another_model_or_damage_begins_anew(
    kb: Kb, library: Library
) -> None:
    (library.live() / "articles.sqlite").write_bytes(b"")
    for number in range(4):
        library.drop(f"article-{number}")
    live = library.live()
    code, err = kb("build")
    assert code == 1
    assert "4 of the 6 published articles" in err
    assert library.live() == live
    with pytest.raises(CorpusError, match="4 of the 6"):
        build(BuildRequest(library.index, [library.corpus], library.model, precision="bf16"))
    assert kb("build", "--replace")[0] == 0
    assert held(library.index) == library.texts
    assert {f"article-{number}" for number in range(4)} <= removed_articles(library.index)


def test_adding_to_what_was_taken_away_says_so_and_keeps_what_was_added(
    kb: Kb, library: Library, tmp_path: Path
) -> None:
    empty(library)
    (tmp_path / "news.md").write_text(markdown("news", "tea"))
    refused(kb, library, "6 of the 6", command=("add", tmp_path / "news.md"))
    assert (library.corpus / "news.md").exists()


def test_watching_says_it_and_goes_on(
    kb: Kb, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_twice(_: object, changed: Callable[[], None], **__: object) -> None:
        changed()
        shutil.rmtree(library.corpus)
        (library.root / "unmounted").rename(library.corpus)
        library.put("article-7", "tea")
        changed()

    monkeypatch.setattr("indexer.corpus.watch.watch", look_twice)
    empty(library)
    code, err = kb("watch")
    assert code == 0
    assert f"no article is in {library.corpus}" in err
    assert "kb build --replace" in err
    assert "1 added" in err
    assert held(library.index) == library.texts


@pytest.mark.parametrize("lose", [move_away, empty])
def test_the_service_refuses_a_rebuild_alike_and_takes_replace_for_an_answer(
    kb: Kb, library: Library, lose: Callable[[Library], None]
) -> None:
    kb("status")
    before = ids(library)
    with serving(library) as client, working(library):
        lose(library)
        task = ended(client, client.post(f"{API}/rebuild").json()["id"])
        assert task["state"] == "failed"
        for part in (str(library.corpus), "6 of the 6 published articles", "`replace`"):
            assert part in task["error"]
        assert ids(library) == before
        library.corpus.mkdir(exist_ok=True)
        assert client.post(f"{API}/rebuild?replace=perhaps").status_code == 422
        task = ended(client, client.post(f"{API}/rebuild?replace=true").json()["id"])
        assert (task["state"], task["error"]) == ("done", None)
        assert ids(library) == set()


def test_the_service_removes_by_id_down_to_nothing_and_says_what_a_change_cannot_bring(
    kb: Kb, library: Library
) -> None:
    kb("status")
    with serving(library) as client, working(library):
        (library.corpus / "article-0.md").unlink()
        content = markdown("news", "tea").encode()
        for number in range(1, 6):
            (library.corpus / f"article-{number}.md").rename(library.root / f"kept-{number}.md")
        sent = client.put(f"{API}/articles/news", content=content, headers=MARKDOWN)
        task = ended(client, sent.json()["id"])
        assert task["state"] == "failed"
        assert task["error"].startswith("The corpus has it, the index does not: 6 of the 6")
        for number in range(1, 6):
            (library.root / f"kept-{number}.md").rename(library.corpus / f"article-{number}.md")
        for article_id in (*(f"article-{number}" for number in range(1, 6)), "news"):
            task = ended(client, client.delete(f"{API}/articles/{article_id}").json()["id"])
            assert task["state"] == "done", task
        assert ids(library) == set()

"""kb restore --corpus: the folder that the corpora of a backup were put into is the index's from then on"""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from indexer.generations.last_build import last_build
from indexer.maintenance.backup import back_up
from kb_cli.main import run
from support.commands import Kb, commands
from support.library import Library, held, leftovers, markdown

COLLECTED = {"id": "md-1", "title": "Vitamin", "sections": [{"id": "s", "text": "Bones need it."}]}


@pytest.fixture
def index(library: Library, tmp_path: Path) -> Path:
    """Where a backup is restored to. The library's own index knows the library's own corpus."""
    library.put("article-0", "salted")
    library.build()
    return tmp_path / "new" / "index"


@pytest.fixture
def kb(index: Path, capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs a command on the restored index in this process: exit code, stdout and stderr."""
    return commands(capsys, index)


def test_after_a_restore_the_folder_is_the_corpus_that_everything_goes_by(
    kb: Kb, library: Library, index: Path, tmp_path: Path
) -> None:
    backup, corpus = tmp_path / "backup.tar", tmp_path / "corpus"
    back_up(library.index, backup)
    shutil.rmtree(library.corpus)
    code, _, err = kb("restore", backup, "--corpus", corpus)
    assert code == 0, err
    assert f"From now on the index is built from {corpus}." in err
    assert last_build(index).corpora == (corpus,)
    assert kb("check")[0] == 0
    code, out, _ = kb("status")
    assert f"Corpus: {corpus}\n" in out
    assert "Stale: nothing" in out
    assert "Nothing to do" in kb("build")[2]

    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    code, _, err = kb("add", incoming)
    assert code == 0, err
    assert (corpus / "news.md").exists()
    assert held(index) == library.texts | {"news": "tea"}
    assert leftovers(index) == []


def test_a_restore_without_a_folder_leaves_the_corpus_where_it_was(
    kb: Kb, library: Library, index: Path, tmp_path: Path
) -> None:
    back_up(library.index, tmp_path / "backup.tar")
    assert kb("restore", tmp_path / "backup.tar")[0] == 0
    assert last_build(index).corpora == (library.corpus,)
    assert (index / "CURRENT").read_text() == (library.index / "CURRENT").read_text()


def test_each_of_several_corpora_has_its_place_in_the_folder(
    kb: Kb, library: Library, index: Path, tmp_path: Path
) -> None:
    collection, empty = library.root / "collection.jsonl.gz", library.root / "empty"
    collection.write_bytes(gzip.compress(json.dumps(COLLECTED).encode()))
    empty.mkdir()
    build(BuildRequest(library.index, [collection, library.corpus, empty], library.model))
    (library.corpus / "_removed.txt").write_text("md-1\n")
    back_up(library.index, tmp_path / "backup.tar")
    shutil.rmtree(library.corpus)

    folder = tmp_path / "corpora"
    code, _, err = kb("restore", tmp_path / "backup.tar", "--corpus", folder)
    assert code == 0, err
    # A collection stays a file: as a folder, the first among them, it would be the one that is written to.
    places = (folder / "0" / "collection.jsonl.gz", folder / "1", folder / "2")
    assert last_build(index).corpora == places
    assert "1 removed" in kb("build")[2]
    assert held(index) == library.texts


def test_a_corpus_that_is_not_in_the_backup_stays_where_it_was_and_is_named(
    kb: Kb, library: Library, index: Path, tmp_path: Path
) -> None:
    gone, folder = library.root / "gone", tmp_path / "corpora"
    gone.mkdir()
    (gone / "news.md").write_text(markdown("news", "tea"))
    build(BuildRequest(library.index, [gone, library.corpus], library.model))
    shutil.rmtree(gone)
    back_up(library.index, tmp_path / "backup.tar")
    code, _, err = kb("restore", tmp_path / "backup.tar", "--corpus", folder)
    assert code == 0, err
    assert f"The backup has no files of {gone}" in err
    assert last_build(index).corpora == (gone, folder)
    assert (folder / "article-0.md").exists()


def test_the_corpus_of_an_empty_library_is_an_empty_folder(
    kb: Kb, library: Library, index: Path, tmp_path: Path
) -> None:
    for article_id in list(library.texts):
        library.drop(article_id)
    build(BuildRequest(library.index, [library.corpus], library.model, replace=True))
    back_up(library.index, tmp_path / "backup.tar")
    assert kb("restore", tmp_path / "backup.tar", "--corpus", tmp_path / "corpus")[0] == 0
    assert last_build(index).corpora == (tmp_path / "corpus",)
    assert kb("build")[0] == 0
    assert held(index) == {}


def test_a_rollback_that_held_holds_in_the_restored_index_and_what_was_removed_stays_so(
    kb: Kb, library: Library, index: Path, tmp_path: Path
) -> None:
    assert run(["rollback", "--index", str(library.index)]) == 0
    back_up(library.index, tmp_path / "pinned.tar")
    for corpus in (tmp_path / "first", tmp_path / "second"):
        code, _, err = kb("restore", tmp_path / "pinned.tar", "--corpus", corpus)
        assert code == 0, err
        assert "stays live until" in err
        assert "Pinned" in kb("status")[1]
        assert last_build(index).corpora == (corpus,)
    assert kb("remove", "article-1")[0] == 0
    code, _, err = kb("restore", tmp_path / "pinned.tar", "--corpus", tmp_path / "third")
    assert code == 0, err
    assert "article-1" not in held(index)
    assert last_build(index).corpora == (tmp_path / "third",)
    assert kb("check")[0] == 0

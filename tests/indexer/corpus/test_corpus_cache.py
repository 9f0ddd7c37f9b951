"""indexer.corpus.corpus_cache: nothing is read twice while nothing has changed, and nothing that has is missed"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from indexer.corpus import corpus_cache
from indexer.corpus.corpus_cache import CorpusCache
from kb.storage.durable import changing


class Shelf:
    """A corpus, what is corpus_cache of it, and how often it was read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read = 0
        self.now = 0.0
        self.kept = CorpusCache(self._read, clock=lambda: self.now)

    def _read(self, corpora: tuple[Path, ...]) -> dict[str, str]:
        self.read += 1
        return {
            path.name: path.read_text()
            for corpus in corpora
            for path in (corpus.rglob("*.md") if corpus.is_dir() else [corpus])
        }

    def get(self, *others: Path, about: str = "") -> dict[str, str]:
        with self.kept.locked(self.folder):
            found = self.kept.get((self.folder, *others))
            if about and not self.kept.are_unchanged([self.folder / about]):
                found = self.kept.refresh((self.folder, *others))
            return found


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "corpus"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.md", "deep/b.md", "_removed.txt", ".hidden.md"):
        (folder / name).write_text("one")
        os.utime(folder / name, (1, 1))
    time.sleep(corpus_cache.UNSETTLED_NS / 1e9)
    return Shelf(folder)


def test_what_nobody_has_changed_is_read_once(shelf: Shelf) -> None:
    for _ in range(5):
        assert shelf.get(about="a.md")["a.md"] == "one"
        shelf.now += 1.1 * corpus_cache.CHECK_AFTER_S
    assert shelf.read == 1


def test_a_change_of_ones_own_is_noted_and_not_read_again(shelf: Shelf) -> None:
    shelf.get()
    with shelf.kept.locked(shelf.folder):
        shelf.kept.get((shelf.folder,))
        (shelf.folder / "c.md").write_text("mine")
        (shelf.folder / "a.md").unlink()
        shelf.kept.note([shelf.folder / "c.md", shelf.folder / "a.md"])
    shelf.now += 1.1 * corpus_cache.CHECK_AFTER_S
    shelf.get(about="c.md")
    assert shelf.read == 1


def test_what_another_writer_has_done_is_seen_at_once(shelf: Shelf) -> None:
    shelf.get()
    with changing(shelf.folder):
        (shelf.folder / "deep" / "b.md").write_text("two")
    assert shelf.get()["b.md"] == "two"
    with changing(shelf.folder):
        pass  # it may have been anything
    shelf.get()
    assert shelf.read == 3


def test_a_file_changed_by_hand_is_seen_when_it_is_asked_about_and_else_after_a_while(
    shelf: Shelf,
) -> None:
    shelf.get()
    (shelf.folder / "a.md").write_text("two")
    assert shelf.get(about="a.md")["a.md"] == "two"
    for number, name in enumerate(("deep/b.md", "deep/new.md", "_removed.txt")):
        (shelf.folder / name).write_text(f"{number}")
        shelf.now += 1.1 * corpus_cache.CHECK_AFTER_S
        before = shelf.read
        shelf.get()
        assert shelf.read == before + 1, name
    shelf.now += 1.1 * corpus_cache.CHECK_AFTER_S
    (shelf.folder / ".hidden.md").write_text("nobody reads it")
    time.sleep(corpus_cache.UNSETTLED_NS / 1e9)
    before = shelf.read
    shelf.get()
    shelf.now += 1.1 * corpus_cache.CHECK_AFTER_S
    shelf.get()
    assert shelf.read <= before + 1  # what was just being written may be read once more


def test_other_corpora_and_what_could_not_be_finished_are_read_anew(
    shelf: Shelf, tmp_path: Path
) -> None:
    collection = tmp_path / "more.jsonl"
    collection.write_text("{}")
    shelf.get()
    shelf.get(collection)
    shelf.kept.invalidate()
    shelf.get(collection)
    assert shelf.read == 3
    time.sleep(corpus_cache.UNSETTLED_NS / 1e9)
    shelf.kept.refresh((shelf.folder, collection))
    collection.write_text("[]")
    shelf.now += 1.1 * corpus_cache.CHECK_AFTER_S
    shelf.get(collection)
    assert shelf.read == 5


def test_a_turn_that_fails_is_ones_own_as_well(shelf: Shelf) -> None:
    shelf.get()
    with pytest.raises(ValueError, match="no"), shelf.kept.locked(shelf.folder):
        raise ValueError("no")
    shelf.get()
    assert shelf.read == 1

"""The writable folder of the corpora, and the removed articles of the others.

The writable corpus is the first folder among them. An article in a collection or in another corpus is removed by a
tombstone: its id is a line of `_removed.txt` in that folder. A tombstone hides the article with that id everywhere,
except in its own file in the writable folder. Such a file replaces the article.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from indexer.corpus.files import RECORD_FILES, content_hash
from kb.schema.errors import CorpusError
from kb.storage.durable import write_durably

FILE = "_removed.txt"


class Tombstones:
    """The articles hidden by `kb remove`. `corpus` is the number of the writable folder, or None."""

    def __init__(self, corpora: Sequence[Path]) -> None:
        self.corpus = next((n for n, path in enumerate(corpora) if path.is_dir()), None)
        self.folder = None if self.corpus is None else corpora[self.corpus]
        self.ids = frozenset() if self.folder is None else read_tombstones(self.folder)

    def fingerprint_entries(self) -> list[tuple[int, str, str]]:
        """What the records of commands add to the fingerprint of the corpora."""
        if self.corpus is None or self.folder is None:
            return []
        there = [name for name in RECORD_FILES if (self.folder / name).exists()]
        return [(self.corpus, name, content_hash(self.folder / name)) for name in there]


def writable_folder(corpora: Sequence[Path]) -> Path:
    """The folder that `kb add` and `kb remove` write to. Raises CorpusError if there is none."""
    folder = Tombstones(corpora).folder
    if folder is None:
        names = " ".join(f"--corpus {path}" for path in corpora)
        raise CorpusError(
            "None of the corpora is a folder to write articles to: build the index with a folder before the "
            f"others, `kb build --corpus FOLDER {names}`."
        )
    return folder


def read_tombstones(folder: Path) -> frozenset[str]:
    """The ids in the folder's `_removed.txt`. Raises CorpusError if it cannot be read."""
    path = folder / FILE
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{path} cannot be read ({error}): without it, removed articles would come back. Repair it."
        ) from error
    return frozenset(filter(None, (line.strip() for line in lines)))


def add_tombstones(folder: Path, ids: Iterable[str]) -> None:
    """Add ids to the folder's `_removed.txt`, durably. One writer at a time."""
    listed = read_tombstones(folder)
    wanted = listed.union(ids)
    if wanted != listed:
        content = "".join(f"{article_id}\n" for article_id in sorted(wanted))
        write_durably(folder / FILE, content.encode())

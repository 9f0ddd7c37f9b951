"""The writable folder of the corpora, and the articles of the others that were removed.

The writable corpus is the first folder among them. An article that lives elsewhere, in a collection or a corpus that is
not ours to change, is removed by a tombstone: its id as a line of `_removed.txt` in that folder. A tombstone hides the
article with that id wherever it stands but in a file of its own in the writable folder, which is how it is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from indexer.corpus.files import RECORDS, content_hash
from kb.schema.errors import CorpusError
from kb.storage.durable import write_durably

FILE = "_removed.txt"


class Tombstones:
    """What `kb remove` hides. `corpus` is the number of the writable folder, None if no corpus is one."""

    def __init__(self, corpora: Sequence[Path]) -> None:
        self.corpus = next((n for n, path in enumerate(corpora) if path.is_dir()), None)
        self.folder = None if self.corpus is None else corpora[self.corpus]
        self.ids = frozenset() if self.folder is None else read_tombstones(self.folder)

    def fingerprint_entries(self) -> list[tuple[int, str, str]]:
        """What the records of commands add to the fingerprint of the corpora."""
        if self.corpus is None or self.folder is None:
            return []
        there = [name for name in RECORDS if (self.folder / name).exists()]
        return [(self.corpus, name, content_hash(self.folder / name)) for name in there]


def writable_folder(corpora: Sequence[Path]) -> Path:
    """The folder that `kb add` and `kb remove` write to. Raises CorpusError if there is none."""
    folder = Tombstones(corpora).folder
    if folder is None:
        names = " ".join(f"--corpus {path}" for path in corpora)
        raise CorpusError(
            "None of the corpora is a folder that articles could be written to: build the index with one in front of "
            f"the others, `kb build --corpus FOLDER {names}`."
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
            f"{path} cannot be read ({error}): without it, removed articles would come back. Mend it."
        ) from error
    return frozenset(filter(None, (line.strip() for line in lines)))


def add_tombstones(folder: Path, ids: Iterable[str]) -> None:
    """Put ids into the folder's `_removed.txt`, durably. One writer at a time."""
    listed = read_tombstones(folder)
    wanted = listed.union(ids)
    if wanted != listed:
        content = "".join(f"{article_id}\n" for article_id in sorted(wanted))
        write_durably(folder / FILE, content.encode())

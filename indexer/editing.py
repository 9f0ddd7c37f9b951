"""Given articles to add or ids to remove, the writable corpus changed so that a power cut does not undo it.

The corpus is the truth and the index is made from it: what is accepted here is in every index built afterwards. An
article that is added stands in a file of its own; one that is removed loses that file and gets a tombstone
(`indexer.tombstones`) where it stands in others too.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from indexer.corpus import (
    ARTICLE_SUFFIX,
    JSONL_SUFFIXES,
    CorpusFile,
    is_article_name,
    list_files,
    parse,
    read_bytes,
    read_file,
)
from indexer.durable import fsync, make_folder, remove_durably, write_durably
from indexer.readers.jsonl import interchange
from indexer.readers.slug import slug
from indexer.scan import Scan, article_digest
from indexer.tombstones import add_tombstones, writable_folder
from kb.article import Article
from kb.errors import ArticleError, CorpusError
from kb.sources import Sources

_FOLDERS = 100


@dataclass(frozen=True, slots=True)
class Accepted:
    """An article that is in the corpus now, and its file. `replaced` says that there was one of that id."""

    id: str
    path: Path
    replaced: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """What became of what was to be added or removed; `missing` are ids that the corpora do not have."""

    accepted: tuple[Accepted, ...] = ()
    failures: tuple[ArticleError, ...] = ()
    removed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def add(corpora: Sequence[Path], paths: Sequence[Path], known: Sources | None = None) -> Edit:
    """Put the articles of files or folders into the writable corpus, each in place of any other of its id.

    What is returned as accepted is on disk. An article that cannot be read stops no other. `known` spares reading what
    an index has seen. Raises CorpusError for a path that is not there or has no corpus to go to, and OSError.
    """
    folder = writable_folder(corpora)
    files, refused = list_files(paths)
    accepted: list[Accepted] = []
    failures = list(refused)
    with _only_editor(folder):
        places = _Places(corpora, known)
        for file in files:
            for _, item in read_file(file.path):
                try:
                    if isinstance(item, ArticleError):
                        raise item
                    accepted.append(_put(folder, places, file.path, item))
                except ArticleError as error:
                    failures.append(error)
    return Edit(accepted=tuple(accepted), failures=tuple(failures))


def remove(corpora: Sequence[Path], ids: Iterable[str], known: Sources | None = None) -> Edit:
    """Take articles out of the corpora for good. Raises CorpusError and OSError."""
    folder = writable_folder(corpora)
    removed, missing = [], []
    with _only_editor(folder):
        places = _Places(corpora, known)
        for article_id in dict.fromkeys(ids):
            if not places.has(article_id):
                missing.append(article_id)
                continue
            if places.elsewhere(article_id):
                add_tombstones(folder, [article_id])
            for path in places.own(article_id):
                remove_durably(path)
            removed.append(article_id)
    return Edit(removed=tuple(removed), missing=tuple(missing))


class _Places:
    """Where each article of the corpora stands."""

    def __init__(self, corpora: Sequence[Path], known: Sources | None) -> None:
        scan = Scan(corpora, known)
        with suppress(CorpusError):  # an empty corpus is one to add to
            scan.finish()
        self._own: dict[str, list[Path]] = {}
        self._elsewhere: set[str] = set()
        self._visible = set(scan.articles)
        for file in scan.files:
            corpus = corpora[file.corpus]
            path = corpus / file.name if corpus.is_dir() else corpus
            for entry in file.articles:
                if scan.tombstones.is_own(CorpusFile(file.corpus, file.name, path)):
                    self._own.setdefault(entry.id, []).append(path)
                else:
                    self._elsewhere.add(entry.id)

    def has(self, article_id: str) -> bool:
        return article_id in self._visible or article_id in self._own

    def own(self, article_id: str) -> list[Path]:
        """Its files in the writable folder that hold nothing else."""
        return self._own.get(article_id, [])

    def elsewhere(self, article_id: str) -> bool:
        """Whether it stands in a collection or another corpus, hidden or not."""
        return article_id in self._elsewhere

    def moved(self, article_id: str, path: Path) -> None:
        self._own[article_id] = [path]
        self._visible.add(article_id)


def _put(folder: Path, places: _Places, source: Path, article: Article) -> Accepted:
    if source.name.lower().endswith(JSONL_SUFFIXES):
        name = f"{slug(article.id)}{ARTICLE_SUFFIX}"
        content = json.dumps(interchange(article), ensure_ascii=False, indent=1).encode() + b"\n"
    else:
        name = source.name
        content = read_bytes(source)
    replaced = places.has(article.id)
    own = places.own(article.id)
    if source.resolve() in (path.resolve() for path in own):
        fsync(source)
        fsync(source.parent)
        target = source
    else:
        target = _target(folder, name, content, article, own)
        make_folder(target.parent)
        write_durably(target, content)
    for path in own:
        if path.resolve() != target.resolve():
            remove_durably(path)
    # Last: before, the article that stands elsewhere is still there.
    if places.elsewhere(article.id):
        add_tombstones(folder, [article.id])
    places.moved(article.id, target)
    return Accepted(article.id, target, replaced)


def _target(folder: Path, name: str, content: bytes, article: Article, own: list[Path]) -> Path:
    """A file that is free, or is the article's own, and from which the same article is read."""
    others = ("", "added", *(f"added-{number}" for number in range(2, _FOLDERS)))
    candidates = [*own, *(folder / other / name for other in others)]
    for path in candidates:
        if (path in own or not path.exists()) and is_article_name(path.name):
            with suppress(ArticleError):
                if article_digest(parse(path, content)) == article_digest(article):
                    return path
    raise ArticleError(
        name,
        f"cannot be stored as the article {article.id!r}: state that id in it, or rename the file",
    )


@contextmanager
def _only_editor(folder: Path) -> Iterator[None]:
    """One change of the folder at a time: a lock of the system on the folder itself."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

"""Given the corpora and what an index was made from, the articles to index anew, and what became of the others.

Files whose content the index has seen are not parsed again: what stood in them is in its record (`kb.sources`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from indexer.corpus import (
    CorpusFile,
    Place,
    content_hash,
    duplicate_id,
    fingerprint_of,
    lexicon_entries,
    list_files,
    read_file,
)
from indexer.other_files import nothing_usable
from indexer.tombstones import Tombstones
from kb.article import Article
from kb.errors import ArticleError, CorpusError
from kb.manifest import CorpusInfo
from kb.sources import Changes, Entry, SourceFile, Sources
from kb.store import article_digest


class Scan:
    """Iterate over it, once and to the end, for the articles that `base` lacks or has otherwise.

    Afterwards: `articles` maps each id of the corpora to its digest, `places` to where it stands; `files` is the
    record of all files; `failures` what could not be read; `added`, `changed`, `removed` and `failed` are the sets of
    ids by what became of them since `base`; `hidden` the articles that tombstones hide; `lexicons` are corpus, name and
    content hash of the files about words. `failed` are
    those of `base` that are gone because their file can no longer be read, which is not the same as removed. The end
    raises CorpusError where there was nothing to index, unless tombstones hide all of it, or it `may_be_empty`.
    """

    def __init__(
        self,
        corpora: Sequence[Path],
        base: Sources | None = None,
        *,
        everything: bool = False,
        may_be_empty: bool = False,
    ) -> None:
        """With `everything`, the articles that `base` has are given as well.

        Raises CorpusError for a corpus that is not there.
        """
        self._everything = everything
        self._may_be_empty = may_be_empty
        self._corpora = tuple(corpora)
        self._base = base or Sources()
        self._known = {(file.name, file.sha256): file for file in self._base.files}
        self._listed, refused = list_files(corpora)
        self.tombstones = Tombstones(corpora)
        self.lexicons = lexicon_entries(corpora)
        self.failures: list[ArticleError] = list(refused)
        self.files: list[SourceFile] = []
        self.articles: dict[str, str] = {}
        self.places: dict[str, Place] = {}
        self.added: set[str] = set()
        self.changed: set[str] = set()
        self.hidden: set[str] = set()
        self.removed: set[str] = set()
        self.failed: set[str] = set()

    def __iter__(self) -> Iterator[Article]:
        for file in self._listed:
            digest = content_hash(file.path)
            known = self._known.get((file.name, digest))
            if known is not None and not known.failures:
                yield from self._recall(file, known)
            else:
                yield from self._read(file, digest)
        self._settle()
        if not self.articles and not self.hidden and not self._may_be_empty:
            raise CorpusError(nothing_usable(self._corpora, self._listed, self.failures))

    def finish(self) -> None:
        """Read to the end without keeping an article."""
        for _ in self:
            pass

    @property
    def changes(self) -> Changes:
        """The numbers of what the scan found."""
        met = len(self.articles)
        return Changes(
            added=len(self.added),
            changed=len(self.changed),
            removed=len(self.removed),
            unchanged=met - len(self.added) - len(self.changed),
            hidden=len(self.hidden),
            failed=len(self.failures),
        )

    def corpus_infos(self) -> tuple[CorpusInfo, ...]:
        """The corpora and the fingerprint of each."""
        hashed = [(file.corpus, file.name, file.sha256) for file in self.files]
        return _infos(self._corpora, hashed + self.lexicons, self.tombstones)

    def _recall(self, file: CorpusFile, known: SourceFile) -> Iterator[Article]:
        """A file that the index has seen: parsed only where it has an article that the index does not."""
        wanted = set()
        for entry in known.articles:
            if self._claim(file, entry) and self._is_wanted(entry):
                wanted.add(entry)
        self.files.append(SourceFile(file.corpus, file.name, known.sha256, known.articles))
        if not wanted:
            return
        for line, item in read_file(file.path):
            if isinstance(item, Article) and Entry(item.id, line, article_digest(item)) in wanted:
                yield item

    def _read(self, file: CorpusFile, digest: str) -> Iterator[Article]:
        entries: list[Entry] = []
        failures: list[tuple[int | None, str]] = []
        for line, item in read_file(file.path):
            if isinstance(item, ArticleError):
                failures.append((line, item.reason))
                self.failures.append(item)
                continue
            entry = Entry(item.id, line, article_digest(item))
            entries.append(entry)
            if self._claim(file, entry) and self._is_wanted(entry):
                yield item
        if content_hash(file.path) != digest:
            digest = ""  # it was written to meanwhile: the next build reads it again
        self.files.append(
            SourceFile(file.corpus, file.name, digest, tuple(entries), tuple(failures))
        )

    def _claim(self, file: CorpusFile, entry: Entry) -> bool:
        """Whether the article is the one of its id; a second one is a failure, a hidden one is passed over."""
        if self.tombstones.hides(file, entry.id):
            self.hidden.add(entry.id)
            return False
        place = Place(file.path, entry.line)
        first = self.places.setdefault(entry.id, place)
        if first is not place:
            self.failures.append(duplicate_id(entry.id, place, first))
            return False
        self.articles[entry.id] = entry.digest
        return True

    def _is_wanted(self, entry: Entry) -> bool:
        before = self._base.articles.get(entry.id)
        if before is None:
            self.added.add(entry.id)
        elif before != entry.digest:
            self.changed.add(entry.id)
        return self._everything or before != entry.digest

    def _settle(self) -> None:
        self.hidden -= self.articles.keys()
        gone = self._base.articles.keys() - self.articles.keys()
        broken = {(file.corpus, file.name) for file in self.files if file.failures}
        unreadable = {
            entry.id
            for file in self._base.files
            if (file.corpus, file.name) in broken
            for entry in file.articles
        }
        self.failed = (gone & unreadable) - self.hidden
        self.removed = gone - self.failed


def corpus_infos(corpora: Sequence[Path]) -> tuple[CorpusInfo, ...]:
    """The corpora and their fingerprints as a scan would give them. Costs one reading of every file."""
    files, _ = list_files(corpora)
    hashed = [(file.corpus, file.name, content_hash(file.path)) for file in files]
    return _infos(corpora, hashed + lexicon_entries(corpora), Tombstones(corpora))


def _infos(
    corpora: Sequence[Path], hashed: list[tuple[int, str, str]], tombstones: Tombstones
) -> tuple[CorpusInfo, ...]:
    entries = hashed + tombstones.fingerprint_entries()
    return tuple(
        CorpusInfo(
            str(path.resolve()),
            fingerprint_of(
                1, ((0, name, sha) for corpus, name, sha in entries if corpus == number)
            ),
        )
        for number, path in enumerate(corpora)
    )

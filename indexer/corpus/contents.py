"""The articles in each file of the corpora, from the record of an index or by reading the file.

A file whose content an index has seen is not parsed again: its articles are in the index's record
(`kb.storage.sources`). Parsed articles are cached up to a limit.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.corpus.files import CorpusFile, content_hash
from indexer.corpus.reading import article_at, read_file, read_stating
from indexer.identity.ledger import Spot, bytes_hash
from indexer.identity.naming import Claim
from indexer.readers.forms import is_collection
from kb.schema.article import Article
from kb.schema.errors import ArticleError
from kb.storage.sources import Entry, SourceFile

MAX_CACHED_CHARS = 64 * 1024 * 1024
"""Maximum total length of cached articles, in characters."""


@dataclass(slots=True)
class FileContents:
    """One file: its content hash, its readable articles, and what each of them claims.

    `is_own` says that it is a file of one article in the writable corpus. If an article states no id, its entry's `id`
    and `digest` are those in the index, or empty. `known` says that an index has seen the same bytes.
    """

    file: CorpusFile
    sha256: str
    is_own: bool
    entries: tuple[Entry, ...]
    failures: tuple[ArticleError, ...] = ()
    known: bool = False
    claims: tuple[Claim, ...] = ()
    parsed: dict[int | None, Article] = field(default_factory=dict)

    @property
    def spot(self) -> Spot:
        """The location of the file."""
        return Spot(self.file.corpus, self.file.name)


class CorpusContents:
    """All files of the corpora, in order. `own_corpus` is the number of the writable corpus, if any."""

    def __init__(
        self,
        listed: Sequence[CorpusFile],
        known: Mapping[tuple[str, str], SourceFile],
        own_corpus: int | None,
    ) -> None:
        self._chars_left = MAX_CACHED_CHARS
        self._own_corpus = own_corpus
        self.files = [self._look_at(file, known) for file in listed]
        self._by_spot = {each.spot: each for each in self.files}
        for each in self.files:
            each.claims = tuple(
                Claim(each.spot, entry.line, entry.id if entry.stated else None, each.is_own)
                for entry in each.entries
            )

    def claims(self, given: Container[Spot]) -> Iterator[Claim]:
        """What all articles claim. An unreadable file continues to claim the id that it was `given`."""
        for each in self.files:
            yield from each.claims
            if not each.claims and each.spot in given and not is_collection(each.file.name):
                yield Claim(each.spot, None, None, each.is_own)

    def bytes_of(self, claim: Claim) -> str:
        """The ledger's hash of the claim's file."""
        return bytes_hash(self._by_spot[claim.spot].sha256)

    def read(self, claim: Claim) -> Article | None:
        """The article of a claim as its file states it, or None if it cannot be read."""
        contents = self._by_spot[claim.spot]
        return contents.parsed.get(claim.line) or article_at(contents.file.path, claim.line)

    @staticmethod
    def articles(contents: FileContents) -> Iterator[Article | None]:
        """The articles of a file as it states them, one for each entry. None for a missing one."""
        if all(entry.line in contents.parsed for entry in contents.entries):
            yield from (contents.parsed.pop(entry.line) for entry in contents.entries)
            return
        found = iter(read_file(contents.file.path))
        for entry in contents.entries:
            at_line = (item for line, item in found if line == entry.line)
            item = next(at_line, None)
            yield item if isinstance(item, Article) else None

    def _look_at(
        self, file: CorpusFile, known: Mapping[tuple[str, str], SourceFile]
    ) -> FileContents:
        digest = content_hash(file.path)
        is_own = file.corpus == self._own_corpus and not is_collection(file.name)
        record = known.get((file.name, digest))
        if record is not None and not record.failures:
            return FileContents(file, digest, is_own, record.articles, known=True)
        contents = FileContents(file, digest, is_own, ())
        entries, failures = [], []
        for line, item, stated in read_stating(file.path):
            if isinstance(item, ArticleError):
                failures.append(item)
                continue
            entries.append(Entry(item.id if stated else "", line, "", stated))
            self._keep(contents, line, item)
        contents.entries, contents.failures = tuple(entries), tuple(failures)
        return contents

    def _keep(self, contents: FileContents, line: int | None, article: Article) -> None:
        size = sum(len(section.text) for section in article.sections)
        if size <= self._chars_left:
            self._chars_left -= size
            contents.parsed[line] = article

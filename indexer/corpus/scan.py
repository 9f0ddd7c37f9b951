"""Compares the corpora with the sources of an index: new and changed articles, and what happened to the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from indexer.corpus.contents import CorpusContents, FileContents
from indexer.corpus.files import Place, content_hash, lexicon_entries, list_files
from indexer.corpus.fingerprint import infos_of
from indexer.corpus.reading import duplicate_id, read_file
from indexer.corpus.tombstones import Tombstones
from indexer.corpus.unsupported_files import nothing_usable
from indexer.identity.ledger import Address, Ledger, Spot, bytes_hash, reserved, settle
from indexer.identity.naming import Claim, Naming, by_folders, name_articles, updates_of
from indexer.identity.renames import alike_by
from indexer.readers.forms import is_collection
from kb.schema.article import Article, is_shown_on, today
from kb.schema.errors import ArticleError, CorpusError
from kb.schema.service import Changes
from kb.storage.addresses import Addresses, FormerAddress
from kb.storage.articles import article_digest
from kb.storage.durable import changing
from kb.storage.manifest import CorpusInfo
from kb.storage.sources import Entry, SourceFile, Sources


class Scan:
    """Iterate over a scan, once and to the end, for the articles that are new or changed since `base`.

    Afterwards it has these attributes:

    - `articles` maps each id of the corpora to its digest, and `places` to its location.
    - `files` is the record of all files, and `failures` are the errors.
    - `added`, `changed`, `removed` and `failed` are sets of ids by what happened to them since `base`. `failed` are the
      articles of `base` whose file cannot be read any more.
    - `moved` maps ids of `base` to their present ids.
    - `hidden` are the articles hidden by tombstones. `waiting` are those outside their dates, with these dates.
    - `lexicons` has corpus, name and content hash of the files of notices and synonyms.
    - `ledger` is the ledger as read, and `updates` are the changes to it.

    The end raises CorpusError if there is nothing to index, unless tombstones hide all of it or `may_be_empty` is set.
    """

    def __init__(
        self,
        corpora: Sequence[Path],
        base: Sources | None = None,
        *,
        given: Mapping[Spot, str] | None = None,
        everything: bool = False,
        may_be_empty: bool = False,
        day: str | None = None,
    ) -> None:
        """With `everything`, the unchanged articles of `base` are included. `day` defaults to today.

        `given` are published ids of files that are neither in `base` nor in the ledger, as after an upgrade.

        Raises CorpusError for a missing corpus.
        """
        self._everything = everything
        self._may_be_empty = may_be_empty
        self._day = day or today()
        self._corpora = tuple(corpora)
        self._base = base or Sources()
        self._listed, refused = list_files(corpora)
        self.tombstones = Tombstones(corpora)
        self.ledger = Ledger.read(self.tombstones.folder, self.tombstones.corpus)
        self._on_disk = dict(self.ledger.addresses)
        if not self.ledger.is_there:
            self.ledger = _as_base_has_it(self._base)
        self._add_given(given or {})
        self.lexicons = lexicon_entries(corpora)
        self.naming = Naming()
        self.updates: dict[str, Address | None] = {}
        self.failures: list[ArticleError] = list(refused)
        self.files: list[SourceFile] = []
        self.articles: dict[str, str] = {}
        self.places: dict[str, Place] = {}
        self.added: set[str] = set()
        self.changed: set[str] = set()
        self.hidden: set[str] = set()
        self.waiting: dict[str, tuple[str | None, str | None]] = {}
        self.removed: set[str] = set()
        self.failed: set[str] = set()
        self.moved: dict[str, str] = {}

    def _add_given(self, given: Mapping[Spot, str]) -> None:
        known = self.ledger.addresses
        spots = {address.spot for address in known.values() if address.state != "moved"}
        for spot, article_id in given.items():
            if spot not in spots:
                known.setdefault(article_id, Address(article_id, spot))

    def __iter__(self) -> Iterator[Article]:
        known = {(file.name, file.sha256): file for file in self._base.files}
        contents = CorpusContents(self._listed, known, self.tombstones.corpus)
        addresses = self.ledger.addresses
        self.naming = name_articles(
            contents.claims({each.spot for each in addresses.values() if each.state != "moved"}),
            addresses,
            self.tombstones.ids,
            self._published_by_collections(),
            alike_by(contents.bytes_of, contents.read),
        )
        self.updates = updates_of(self.naming, addresses)
        for file in contents.files:
            yield from (self._recall if file.known else self._read)(contents, file)
        self._settle()
        if not self.articles and not (self.hidden or self.waiting or self._may_be_empty):
            raise CorpusError(nothing_usable(self._corpora, self._listed, self.failures))

    def finish(self) -> None:
        """Read to the end, ignoring the articles."""
        for _ in self:
            pass

    @property
    def changes(self) -> Changes:
        """The numbers of added, changed, removed and other articles."""
        arrived = self.added & set(self.moved.values())
        return Changes(
            added=len(self.added - arrived),
            changed=len(self.changed),
            removed=len(self.removed),
            unchanged=len(self.articles) - len(self.added) - len(self.changed),
            hidden=len(self.hidden),
            failed=len(self.failures),
            moved=len(self.moved),
            waiting=len(self.waiting),
        )

    def other_ids(self) -> dict[str, str]:
        """The ids of new articles that differ from their file's plain id, and the location of the file."""
        return {
            article_id: str(self.place_of(claim))
            for article_id in sorted(self.added)
            if (claim := self.naming.holders[article_id]).stated is None
            and article_id != next(by_folders(claim.spot.name))
        }

    @property
    def removed_ids(self) -> set[str]:
        """The ids of articles in `base` that were removed, moved or changed."""
        return self.removed | self.failed | self.changed | self.moved.keys()

    def former_addresses(self) -> list[FormerAddress]:
        """The former addresses, once the ledger has its updates."""
        addresses = self.ledger.addresses | self.updates
        former = [
            address.former()
            for address_id, address in addresses.items()
            if address is not None and address.state != "live" and address_id not in self.articles
        ]
        former += [
            FormerAddress(article_id, withdrawn=expires, expired=True)
            for article_id, (_, expires) in self.waiting.items()
            if expires is not None and expires <= self._day
        ]
        return former

    def keep_ledger(self) -> None:
        """Write the ledger with its updates, before anybody can ask for the ids. Raises OSError."""
        folder, corpus = self.tombstones.folder, self.tombstones.corpus
        if folder is None or corpus is None:
            return
        known = {
            address_id: address
            for address_id, address in self.ledger.addresses.items()
            if address_id not in self._on_disk
        }
        with changing(folder, unseen=True):
            settle(folder, corpus, self._on_disk, {**known, **self.updates})

    def corpus_infos(self) -> tuple[CorpusInfo, ...]:
        """The corpora and the fingerprint of each, with the records of commands that are on disk now."""
        hashed = [(file.corpus, file.name, file.sha256) for file in self.files]
        return infos_of(self._corpora, hashed + self.lexicons, self.tombstones)

    def _published_by_collections(self) -> dict[str, Spot]:
        return {
            entry.id: Spot(file.corpus, file.name)
            for file in self._base.files
            if is_collection(file.name)
            for entry in file.articles
            if self._base.articles.get(entry.id) == entry.digest
        }

    def _read(self, contents: CorpusContents, file: FileContents) -> Iterator[Article]:
        entries: list[Entry] = []
        self.failures += file.failures
        for claim, article in zip(file.claims, contents.articles(file), strict=True):
            if article is None:
                reason = "was changed while it was read: build again"
                self.failures.append(ArticleError(file.file.path, reason, claim.line))
                continue
            named = self._named(claim, article)
            entry = _entry(claim, named)
            entries.append(entry)
            if self._takes(file, claim, entry):
                self._note(contents, file, claim, entry.id, article)
                if self._is_shown(entry, file) and self._is_wanted(entry):
                    yield named
        digest = file.sha256
        if content_hash(file.file.path) != digest:
            digest = ""  # it changed while it was read: the next build reads it again
        failures = tuple((failure.line, failure.reason) for failure in file.failures)
        self.files.append(SourceFile(*file.spot, digest, tuple(entries), failures))

    def _recall(self, contents: CorpusContents, file: FileContents) -> Iterator[Article]:
        """A file that the index has seen: parsed only if it has an article that the index does not."""
        entries: list[Entry] = []
        wanted: dict[int | None, Entry] = {}
        for claim, entry in zip(file.claims, file.entries, strict=True):
            if self.naming.ids.get(claim, entry.id) != entry.id:  # so its digest differs, too
                article = contents.read(claim)
                if article is None:
                    continue
                entry = _entry(claim, self._named(claim, article))  # noqa: PLW2901
            entries.append(entry)
            if self._takes(file, claim, entry):
                self._note(contents, file, claim, entry.id)
                if self._is_shown(entry, file) and self._is_wanted(entry):
                    wanted[claim.line] = entry
        self.files.append(SourceFile(*file.spot, file.sha256, tuple(entries)))
        if not wanted:
            return
        for line, item in read_file(file.file.path):
            if isinstance(item, Article) and line in wanted:
                named = replace(item, id=wanted[line].id)
                if article_digest(named) == wanted[line].digest:
                    yield named

    def _named(self, claim: Claim, article: Article) -> Article:
        """The article with its id. An article without one stays as its file states it."""
        article_id = self.naming.ids.get(claim) or self.naming.hidden.get(claim)
        return replace(article, id=article_id) if article_id else article

    def _takes(self, file: FileContents, claim: Claim, entry: Entry) -> bool:
        """Whether the article gets its id. Records the reason if it does not."""
        place = Place(file.file.path, claim.line)
        if claim in self.naming.hidden:
            self.hidden.add(self.naming.hidden[claim])
            return False
        if claim in self.naming.duplicates:
            owner = self.place_of(self.naming.duplicates[claim])
            self.failures.append(duplicate_id(entry.id, place, owner))
            return False
        if claim in self.naming.reserved:
            reason = reserved(self.naming.reserved[claim])
            self.failures.append(ArticleError(place.path, reason, place.line))
            return False
        return True

    def place_of(self, claim: Claim) -> Place:
        """The location of a claim on disk."""
        corpus = self._corpora[claim.spot.corpus]
        return Place(corpus / claim.spot.name if corpus.is_dir() else corpus, claim.line)

    def _note(
        self,
        contents: CorpusContents,
        file: FileContents,
        claim: Claim,
        article_id: str,
        article: Article | None = None,
    ) -> None:
        """Record the owner of the id for the ledger. The article is read if it is needed and not given.

        An article of a collection is recorded only if several files state its id.
        """
        before = self.ledger.addresses.get(article_id)
        if is_collection(file.file.name):
            if article_id in self.naming.contested or before is not None:
                self.updates[article_id] = Address(article_id, file.spot)
            return
        hashed = bytes_hash(file.sha256)
        is_known = (
            before is not None
            and (before.spot, before.state, before.bytes) == (file.spot, "live", hashed)
            and (before.sections or not self.ledger.is_there)
        )
        if is_known:
            return
        article = article or contents.read(claim)
        if article is not None:
            named = replace(article, id=article_id)
            self.updates[article_id] = Address.of_article(named, file.spot, file.sha256)

    def _is_shown(self, entry: Entry, file: FileContents) -> bool:
        """Whether the article is indexed on this day. If so, it gets its id."""
        if not is_shown_on(self._day, entry.publish, entry.expires):
            self.waiting[entry.id] = (entry.publish, entry.expires)
            return False
        self.places[entry.id] = Place(file.file.path, entry.line)
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
        former = Addresses(self.former_addresses())
        self.moved = {each: former.current(each) for each in gone if former.current(each) != each}
        self.failed = (gone & unreadable) - self.hidden - self.moved.keys()
        self.removed = gone - self.failed - self.moved.keys()


def _entry(claim: Claim, article: Article) -> Entry:
    stated = claim.stated is not None
    return Entry(
        *(article.id, claim.line, article_digest(article), stated),
        *(article.publish, article.expires),
    )


def _as_base_has_it(base: Sources) -> Ledger:
    """The ledger as an index knows it, for a corpus that has none."""
    known = [
        Address(entry.id, Spot(file.corpus, file.name), bytes=bytes_hash(file.sha256))
        for file in base.files
        if not is_collection(file.name)
        for entry in file.articles
        if base.articles.get(entry.id) == entry.digest
    ]
    return Ledger([*map(Address.of_former, base.former), *known])

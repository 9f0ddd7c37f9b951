"""The corpora during a change: which file has which article, and each change of a file as a step.

A change is on disk when its method returns. There is one writer at a time: whoever makes a WritableCorpus keeps the
writable folder locked (`kb.storage.durable.changing`) while the object is in use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from indexer.corpus.files import Place, content_hash
from indexer.corpus.reading import article_at, read_bytes
from indexer.corpus.scan import Scan
from indexer.corpus.tombstones import FILE as TOMBSTONES
from indexer.corpus.tombstones import add_tombstones, writable_folder
from indexer.identity.ledger import FILE as LEDGER
from indexer.identity.ledger import (
    Address,
    Ledger,
    Spot,
    append,
    withdrawn,
)
from indexer.identity.naming import Claim
from kb.schema.article import Article, today
from kb.schema.errors import CorpusError, ExtraMissing
from kb.storage.articles import article_digest
from kb.storage.durable import fsync, make_folder, remove_durably, stamp, write_durably
from kb.storage.sources import Sources


class Step(NamedTuple):
    """What was done to one file. `hidden` means an article in a file that is not written to."""

    action: Literal["written", "replaced", "deleted", "hidden"]
    path: Path
    article_id: str


class WritableCorpus:
    """The location of each article of the corpora. With `dry_run`, steps are recorded but not done.

    Raises CorpusError if there is no writable folder.
    """

    def __init__(
        self, corpora: Sequence[Path], known: Sources | None = None, *, dry_run: bool = False
    ) -> None:
        self.folder = writable_folder(corpora)
        self.steps: list[Step] = []
        self._touched: list[Path] = []
        self._dry_run = dry_run
        ledger_stamp = stamp(self.folder / LEDGER)
        self._scan = Scan(corpora, known, may_be_empty=True)
        with suppress(CorpusError):  # articles can be added to an empty corpus
            self._scan.finish()
        corpus = self._scan.tombstones.corpus
        assert corpus is not None
        self._corpus = corpus
        self._naming = self._scan.naming
        self._addresses = dict(self._scan.ledger.addresses)
        self._ledger_stamp = ledger_stamp
        self._tombstones = set(self._scan.tombstones.ids)
        self._digests = {
            entry.id: entry.digest
            for file in self._scan.files
            for entry in file.articles
            if self._naming.holders.get(entry.id, _NOBODY).spot == (file.corpus, file.name)
        }
        self._files = {
            self._path(claim): article_id
            for article_id, claim in self._naming.holders.items()
            if claim.is_own
        }
        self._rivals: dict[str, list[Place]] = {}
        for claim in self._naming.duplicates:
            if claim.stated is not None:
                self._rivals.setdefault(claim.stated, []).append(self._scan.place_of(claim))
        self._elsewhere = {
            article_id for claim, article_id in self._naming.hidden.items() if not claim.is_own
        }
        self._elsewhere |= {
            article_id for article_id, claim in self._naming.holders.items() if not claim.is_own
        }

    def begin(self) -> None:
        """Begin a new change: reset the steps, and read what a build has written to the ledger."""
        self.steps = []
        if stamp(self.folder / LEDGER) != self._ledger_stamp:
            self._addresses = Ledger.read(self.folder, self._corpus).addresses
            self._ledger_stamp = stamp(self.folder / LEDGER)

    def take_touched(self) -> list[Path]:
        """The files that were written or deleted since the last call."""
        touched, self._touched = self._touched, []
        return touched

    def has(self, article_id: str) -> bool:
        """Whether some file has that id."""
        return article_id in self._naming.holders

    def digest(self, article_id: str) -> str | None:
        """The digest of the article with that id. None if there is none, or it cannot be read."""
        return self._digests.get(article_id)

    def place(self, article_id: str) -> Place:
        """The location of the article with that id."""
        return self._scan.place_of(self._naming.holders[article_id])

    def rivals(self, article_id: str) -> list[Place]:
        """The locations of other articles that state the same id."""
        return self._rivals.get(article_id, [])

    def own_file(self, article_id: str) -> Path | None:
        """The file in the writable folder that has only the article with that id, if any."""
        claim = self._naming.holders.get(article_id)
        return self._path(claim) if claim is not None and claim.is_own else None

    def id_of_file(self, path: Path) -> str | None:
        """The id of the article in a file of the writable folder."""
        return self._files.get(path.resolve())

    def address(self, article_id: str) -> Address | None:
        """What the ledger says with that id."""
        return self._addresses.get(article_id)

    def is_free(self, article_id: str) -> bool:
        """Whether no article has or had that id."""
        return not (article_id in self._naming.holders or article_id in self._addresses)

    def is_article(self, article_id: str, title: str, path: str) -> bool:
        """Whether the id belongs to an article with that title, or to a deleted one that was at that path."""
        claim = self._naming.holders.get(article_id)
        if claim is not None:
            article = self._read(claim)
            return article is not None and article.title == title
        address = self._addresses.get(article_id)
        if address is None:
            return False
        if address.state == "withdrawn":
            return address.title == title
        return address.state in ("gone", "live") and address.spot == Spot(self._corpus, path)

    def can_write(self, path: str, content: bytes, article_id: str) -> bool:
        """Whether that POSIX path may be written: it is free, or the article's own file, or has the same content."""
        target = self.folder / path
        if not target.parent.resolve().is_relative_to(self.folder.resolve()):
            return False  # through a link, which must not lead out of the corpus
        if self.id_of_file(target) == article_id or not (target.exists() or target.is_symlink()):
            return True
        with suppress(OSError):  # left by an interrupted attempt
            return self.id_of_file(target) is None and target.read_bytes() == content
        return False

    def write(self, target: Path, content: bytes, article: Article) -> None:
        """Put the article into that file of the writable folder, and remove it everywhere else."""
        before = self.own_file(article.id)
        self._step("replaced" if target.exists() else "written", target, article.id)
        if not self._dry_run:
            make_folder(target.parent)
            write_durably(target, content)
        self._settle(target, content, article, before)

    def keep(self, target: Path, article: Article) -> None:
        """The article is in that file already: sync it to disk, and record its id."""
        if not self._dry_run:
            fsync(target)
            fsync(target.parent)
        self._settle(target, read_bytes(target), article, target)

    def withdraw(self, article_id: str, *, because: str, see: str, forget: bool = False) -> None:
        """Remove the article with that id and record that in its address. `forget` drops its title and hashes, too."""
        claim = self._naming.holders[article_id]
        article = None if forget else self._read(claim)
        known = Address(article_id, claim.spot)
        if article is not None:
            content_sha256 = content_hash(self._scan.place_of(claim).path)
            known = Address.of_article(replace(article, id=article_id), claim.spot, content_sha256)
        elif not forget:  # it cannot be read: use what was known
            known = self._addresses.get(article_id, known)
        gone = withdrawn(
            known, title=article.title if article else "", on=today(), because=because, see=see
        )
        self._promise(gone)  # first: a deletion without a record would look like a mistake
        if article_id in self._elsewhere:
            self._hide(article_id)
        own = self.own_file(article_id)
        if own is not None:
            self._delete(own, article_id)
        del self._naming.holders[article_id]
        self._digests.pop(article_id, None)

    def _settle(self, target: Path, content: bytes, article: Article, before: Path | None) -> None:
        spot = Spot(self._corpus, target.resolve().relative_to(self.folder.resolve()).as_posix())
        promised = Address.of_article(article, spot, hashlib.sha256(content).hexdigest())
        if self._addresses.get(article.id) != promised:
            self._promise(promised)
        if before is not None and before.resolve() != target.resolve():
            self._delete(before, article.id)
        # Last: until then, the article still exists elsewhere.
        if article.id in self._elsewhere:
            self._hide(article.id)
        self._naming.give(Claim(spot, None, None, is_own=True), article.id)
        self._files[target.resolve()] = article.id
        self._digests[article.id] = article_digest(article)

    def _promise(self, address: Address) -> None:
        self._addresses[address.id] = address
        if not self._dry_run:
            append(self.folder, self._corpus, [address])
            self._ledger_stamp = stamp(self.folder / LEDGER)

    def _hide(self, article_id: str) -> None:
        if article_id in self._tombstones:
            return
        self._tombstones.add(article_id)
        self._step("hidden", self._elsewhere_path(article_id), article_id)
        if not self._dry_run:
            add_tombstones(self.folder, [article_id])
            self._touched.append(self.folder / TOMBSTONES)

    def _delete(self, path: Path, article_id: str) -> None:
        self._step("deleted", path, article_id)
        self._files.pop(path.resolve(), None)
        if not self._dry_run:
            remove_durably(path)

    def _step(
        self,
        action: Literal["written", "replaced", "deleted", "hidden"],
        path: Path,
        article_id: str,
    ) -> None:
        self.steps.append(Step(action, path, article_id))
        if action != "hidden":
            self._touched.append(path)

    def _elsewhere_path(self, article_id: str) -> Path:
        claims = [claim for claim, each in self._naming.hidden.items() if each == article_id]
        holder = self._naming.holders.get(article_id)
        if holder is not None and not holder.is_own:
            claims.insert(0, holder)
        return self._scan.place_of(claims[0]).path if claims else self.folder

    def _path(self, claim: Claim) -> Path:
        return self._scan.place_of(claim).path.resolve()

    def _read(self, claim: Claim) -> Article | None:
        place = self._scan.place_of(claim)
        with suppress(ExtraMissing):
            return article_at(place.path, place.line)
        return None


_NOBODY = Claim(Spot(-1, ""), None, None, is_own=False)

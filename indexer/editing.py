"""Given articles to add or ids to remove, the writable corpus changed so that a power cut does not undo it.

The corpus is the truth and the index is made from it: what is accepted here is in every index built afterwards. An
article that is added stands in a file of its own; one that is removed loses that file and gets a tombstone
(`indexer.tombstones`) where it stands in others too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from indexer.corpus import (
    ARTICLE_SUFFIX,
    JSONL_SUFFIXES,
    CorpusFile,
    Place,
    duplicate_id,
    is_article_name,
    list_files,
    parse,
    read_bytes,
    read_file,
)
from indexer.kept import Kept
from indexer.progress import Progress
from indexer.readers.ids import article_id as checked_id
from indexer.readers.ids import id_from_name
from indexer.readers.jsonl import article_json, with_id
from indexer.readers.metadata import FieldError
from indexer.readers.slug import slug
from indexer.scan import Scan
from indexer.tombstones import FILE as TOMBSTONES
from indexer.tombstones import add_tombstones, writable_folder
from kb.article import Article
from kb.durable import changing, fsync, make_folder, remove_durably, write_durably
from kb.errors import ArticleError, CorpusError, KbError
from kb.sources import Sources
from kb.store import article_digest

_FOLDERS = 100
_NAME_MAX_BYTES = 200


@dataclass(frozen=True, slots=True)
class Accepted:
    """An article that is in the corpus now, and its file.

    `digest` is that of its content (`kb.store.article_digest`), `before` that of the article of its id until then, or
    None.
    """

    id: str
    path: Path
    digest: str
    before: str | None

    @property
    def replaced(self) -> bool:
        """Whether there was an article of that id."""
        return self.before is not None


class PreconditionFailed(KbError):
    """The article in the corpus is not the one that a change was meant for."""


Precondition = Callable[[str | None, str | None], None]
"""Is told the digests of the article that is there and of the one that takes its place, each None where there is none,
before anything is changed; may raise PreconditionFailed."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What became of what was to be added or removed; `missing` are ids that the corpora do not have."""

    accepted: tuple[Accepted, ...] = ()
    failures: tuple[ArticleError, ...] = ()
    removed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def add(
    corpora: Sequence[Path],
    paths: Sequence[Path],
    known: Sources | None = None,
    progress: Progress | None = None,
    names: Mapping[Path, str] | None = None,
    kept: Kept[Places] | None = None,
) -> Edit:
    """Put the articles of files or folders into the writable corpus, each in place of any other of its id.

    What is returned as accepted is on disk. Of several articles of one id in `paths` the first is taken, as a build
    does, and each further one is a failure. An article that cannot be read stops no other. `known` spares reading what
    an index has seen; `names` are those to speak of files by, where they are not their paths; `kept` spares looking
    where articles stand, also in `put` and `remove`. Raises CorpusError for a path that is not there or has no corpus
    to go to, and OSError.
    """
    folder = writable_folder(corpora)
    files, refused = list_files(paths)
    accepted: list[Accepted] = []
    failures = list(refused)
    taken: dict[str, Place] = {}
    progress = progress or Progress()
    progress.stage("corpus")
    given = [file.path for file in files]
    with _changing(folder, corpora, known, kept, given=given) as places:
        for file in files:
            name = Path((names or {}).get(file.path, file.path))
            for line, item in read_file(file.path):
                place = Place(name, line)
                try:
                    if isinstance(item, ArticleError):
                        raise item
                    if item.id in taken:
                        raise duplicate_id(item.id, place, taken[item.id])
                    accepted.append(_add(folder, places, file.path, item))
                    taken[item.id] = place
                except ArticleError as error:
                    failures.append(ArticleError(name, error.reason, error.line or line))
                progress.advance()
    return Edit(accepted=tuple(accepted), failures=tuple(failures))


def put(
    corpora: Sequence[Path],
    article_id: str,
    suffix: str,
    content: bytes,
    known: Sources | None = None,
    precondition: Precondition | None = None,
    kept: Kept[Places] | None = None,
) -> Accepted:
    """Put the one article that `content` is into the writable corpus, in place of any other of that id.

    `suffix` says how it is read (`indexer.corpus.SUFFIXES`, collections left out); it may leave its id out. The
    precondition is asked with nobody else changing the corpus. Raises ArticleError where it cannot be read or states
    another id, CorpusError, PreconditionFailed and OSError.
    """
    folder = writable_folder(corpora)
    name = _name(article_id, suffix)
    try:
        checked_id(article_id)
    except FieldError as error:
        raise ArticleError(name, str(error)) from None
    if suffix == ARTICLE_SUFFIX:
        content = with_id(content, article_id)
    article = parse(Path(name), content)
    if article.id != article_id:
        stated = f"has the id {article.id!r}, and not {article_id!r}: state that one in it"
        if article.id == id_from_name(name) and not name.startswith(article_id):
            stated = (
                f"no file can be called {article_id!r}: state that id in it, as Markdown or JSON"
            )
        raise ArticleError(name, stated)
    with _changing(folder, corpora, known, kept, about=[article_id]) as places:
        if precondition is not None:
            precondition(places.digest(article_id), article_digest(article))
        if suffix == ARTICLE_SUFFIX:
            content = article_json(article)
        return _put(folder, places, name, content, article)


def remove(
    corpora: Sequence[Path],
    ids: Iterable[str],
    known: Sources | None = None,
    precondition: Precondition | None = None,
    kept: Kept[Places] | None = None,
) -> Edit:
    """Take articles out of the corpora for good. Raises CorpusError, PreconditionFailed and OSError."""
    folder = writable_folder(corpora)
    removed, missing = [], []
    wanted = tuple(dict.fromkeys(ids))
    with _changing(folder, corpora, known, kept, about=wanted) as places:
        for article_id in wanted:
            if not places.has(article_id):
                missing.append(article_id)
                continue
            if precondition is not None:
                precondition(places.digest(article_id), None)
            if places.elsewhere(article_id):
                add_tombstones(folder, [article_id])
                places.touched(folder / TOMBSTONES)
            for path in places.own(article_id):
                remove_durably(path)
            places.removed(article_id)
            removed.append(article_id)
    return Edit(removed=tuple(removed), missing=tuple(missing))


def keep_places(known: Callable[[], Sources | None]) -> Kept[Places]:
    """Where articles stand, for one process that makes many changes. `known` is asked when all has to be read anew."""
    return Kept(lambda corpora: Places(corpora, known()))


@contextmanager
def _changing(
    folder: Path,
    corpora: Sequence[Path],
    known: Sources | None,
    kept: Kept[Places] | None,
    *,
    about: Iterable[str] = (),
    given: Collection[Path] = (),
) -> Iterator[Places]:
    """Where the articles stand, with nobody else changing it inside the block.

    `about` are the ids that will be changed, `given` the files that articles are being read from: none of these is
    deleted or written over.
    """
    if kept is None:
        with changing(folder):
            places = Places(corpora, known)
            places.given(given)
            yield places
        return
    with kept.turn(folder):
        places = kept.get(tuple(corpora))
        looked_at = [folder / TOMBSTONES, *(path for each in about for path in places.own(each))]
        if not kept.are_as_noted(looked_at):
            places = kept.renew(tuple(corpora))
        places.given(given)
        try:
            yield places
        except OSError:
            kept.forget()  # something was changed, and nobody knows how much
            raise
        finally:
            kept.note(places.take_touched())


class Places:
    """Where each article of the corpora stands."""

    def __init__(self, corpora: Sequence[Path], known: Sources | None) -> None:
        self._given: frozenset[Path] = frozenset()
        self._touched: list[Path] = []
        scan = Scan(corpora, known)
        with suppress(CorpusError):  # an empty corpus is one to add to
            scan.finish()
        self._own: dict[str, list[Path]] = {}
        self._elsewhere: set[str] = set()
        self._visible = dict(scan.articles)
        for file in scan.files:
            corpus = corpora[file.corpus]
            path = corpus / file.name if corpus.is_dir() else corpus
            for entry in file.articles:
                if scan.tombstones.is_own(CorpusFile(file.corpus, file.name, path)):
                    self._own.setdefault(entry.id, []).append(path)
                else:
                    self._elsewhere.add(entry.id)

    def given(self, paths: Collection[Path]) -> None:
        """These files are being read from: until the next call, no other article takes their place."""
        self._given = frozenset(path.resolve() for path in paths)

    def touched(self, path: Path) -> None:
        """This file, which holds no article, was written."""
        self._touched.append(path)

    def take_touched(self) -> list[Path]:
        """The files that were written or deleted since the last call."""
        touched, self._touched = self._touched, []
        return touched

    def has(self, article_id: str) -> bool:
        return article_id in self._visible or article_id in self._own

    def digest(self, article_id: str) -> str | None:
        """The digest of the article that an index of the corpora has by that id, if there is one."""
        return self._visible.get(article_id)

    def own(self, article_id: str) -> list[Path]:
        """Its files in the writable folder that hold nothing else."""
        return self._own.get(article_id, [])

    def replaceable(self, article_id: str) -> list[Path]:
        """Those of its own that another article may take the place of."""
        return [path for path in self.own(article_id) if path.resolve() not in self._given]

    def elsewhere(self, article_id: str) -> bool:
        """Whether it stands in a collection or another corpus, hidden or not."""
        return article_id in self._elsewhere

    def moved(self, article_id: str, path: Path, digest: str) -> None:
        """The article is in that file now, and in no other."""
        self._touched += [*self.own(article_id), path]
        self._own[article_id] = [path]
        self._visible[article_id] = digest

    def removed(self, article_id: str) -> None:
        """The article is gone."""
        self._touched += self._own.pop(article_id, [])
        self._visible.pop(article_id, None)


def _name(article_id: str, suffix: str) -> str:
    """The name of a file for the article: its id where that can be one, and else a slug of it."""
    name = f"{article_id}{suffix}"
    is_plain = "/" not in article_id and len(name.encode(errors="replace")) <= _NAME_MAX_BYTES
    if suffix == ARTICLE_SUFFIX or not is_plain or not is_article_name(name):
        name = f"{slug(article_id)}{suffix}"
    return name


def _add(folder: Path, places: Places, source: Path, article: Article) -> Accepted:
    """One article of a file that was given."""
    if source.name.lower().endswith(JSONL_SUFFIXES):
        name = f"{slug(article.id)}{ARTICLE_SUFFIX}"
        return _put(folder, places, name, article_json(article), article)
    if source.resolve() in (path.resolve() for path in places.own(article.id)):
        fsync(source)
        fsync(source.parent)
        return _settle(folder, places, source, article)
    return _put(folder, places, source.name, read_bytes(source), article)


def _put(folder: Path, places: Places, name: str, content: bytes, article: Article) -> Accepted:
    target = _target(folder, name, content, article, places.replaceable(article.id))
    make_folder(target.parent)
    write_durably(target, content)
    return _settle(folder, places, target, article)


def _settle(folder: Path, places: Places, target: Path, article: Article) -> Accepted:
    """The article stands in `target`: from now on nowhere else."""
    digest, before = article_digest(article), places.digest(article.id)
    for path in places.replaceable(article.id):
        if path.resolve() != target.resolve():
            remove_durably(path)
    # Last: before, the article that stands elsewhere is still there.
    if places.elsewhere(article.id):
        add_tombstones(folder, [article.id])
        places.touched(folder / TOMBSTONES)
    places.moved(article.id, target, digest)
    return Accepted(article.id, target, digest, before)


def _target(folder: Path, name: str, content: bytes, article: Article, own: list[Path]) -> Path:
    """A file that is free, or is the article's own, and from which the same article is read."""
    others = ("", "added", *(f"added-{number}" for number in range(2, _FOLDERS)))
    candidates = chain(own, (folder / other / name for other in others))
    inside = folder.resolve()
    for path in candidates:
        if not path.parent.resolve().is_relative_to(inside):
            continue  # by a link, which must not lead a writer out of the corpus
        if (path in own or not path.exists()) and is_article_name(path.name):
            with suppress(ArticleError):
                if article_digest(parse(path, content)) == article_digest(article):
                    return path
    raise ArticleError(
        name,
        f"cannot be stored as the article {article.id!r}: state that id in it, or rename the file",
    )

"""Given articles to add or ids to remove, the writable corpus changed so that a power cut does not undo it.

The corpus is the truth and the index is made from it: what is accepted here is in every index built afterwards. An
article that is added stands in a file of its own; one that is removed loses that file and gets a tombstone
(`indexer.tombstones`) where it stands in others too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from indexer.progress import Progress
from indexer.readers.ids import article_id as checked_id
from indexer.readers.ids import id_from_name
from indexer.readers.jsonl import article_json, with_id
from indexer.readers.metadata import FieldError
from indexer.readers.slug import slug
from indexer.scan import Scan
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
) -> Edit:
    """Put the articles of files or folders into the writable corpus, each in place of any other of its id.

    What is returned as accepted is on disk. Of several articles of one id in `paths` the first is taken, as a build
    does, and each further one is a failure. An article that cannot be read stops no other. `known` spares reading what
    an index has seen; `names` are those to speak of files by, where they are not their paths. Raises CorpusError for a
    path that is not there or has no corpus to go to, and OSError.
    """
    folder = writable_folder(corpora)
    files, refused = list_files(paths)
    accepted: list[Accepted] = []
    failures = list(refused)
    taken: dict[str, Place] = {}
    progress = progress or Progress()
    progress.stage("corpus")
    with changing(folder):
        places = _Places(corpora, known, [file.path for file in files])
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
    with changing(folder):
        places = _Places(corpora, known)
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
) -> Edit:
    """Take articles out of the corpora for good. Raises CorpusError, PreconditionFailed and OSError."""
    folder = writable_folder(corpora)
    removed, missing = [], []
    with changing(folder):
        places = _Places(corpora, known)
        for article_id in dict.fromkeys(ids):
            if not places.has(article_id):
                missing.append(article_id)
                continue
            if precondition is not None:
                precondition(places.digest(article_id), None)
            if places.elsewhere(article_id):
                add_tombstones(folder, [article_id])
            for path in places.own(article_id):
                remove_durably(path)
            removed.append(article_id)
    return Edit(removed=tuple(removed), missing=tuple(missing))


class _Places:
    """Where each article of the corpora stands."""

    def __init__(
        self, corpora: Sequence[Path], known: Sources | None, given: Collection[Path] = ()
    ) -> None:
        """`given` are the files that articles are being read from: none is deleted or written over."""
        self._given = {path.resolve() for path in given}
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
        self._own[article_id] = [path]
        self._visible[article_id] = digest


def _name(article_id: str, suffix: str) -> str:
    """The name of a file for the article: its id where that can be one, and else a slug of it."""
    name = f"{article_id}{suffix}"
    is_plain = "/" not in article_id and len(name.encode(errors="replace")) <= _NAME_MAX_BYTES
    if suffix == ARTICLE_SUFFIX or not is_plain or not is_article_name(name):
        name = f"{slug(article_id)}{suffix}"
    return name


def _add(folder: Path, places: _Places, source: Path, article: Article) -> Accepted:
    """One article of a file that was given."""
    if source.name.lower().endswith(JSONL_SUFFIXES):
        name = f"{slug(article.id)}{ARTICLE_SUFFIX}"
        return _put(folder, places, name, article_json(article), article)
    if source.resolve() in (path.resolve() for path in places.own(article.id)):
        fsync(source)
        fsync(source.parent)
        return _settle(folder, places, source, article)
    return _put(folder, places, source.name, read_bytes(source), article)


def _put(folder: Path, places: _Places, name: str, content: bytes, article: Article) -> Accepted:
    target = _target(folder, name, content, article, places.replaceable(article.id))
    make_folder(target.parent)
    write_durably(target, content)
    return _settle(folder, places, target, article)


def _settle(folder: Path, places: _Places, target: Path, article: Article) -> Accepted:
    """The article stands in `target`: from now on nowhere else."""
    digest, before = article_digest(article), places.digest(article.id)
    for path in places.replaceable(article.id):
        if path.resolve() != target.resolve():
            remove_durably(path)
    # Last: before, the article that stands elsewhere is still there.
    if places.elsewhere(article.id):
        add_tombstones(folder, [article.id])
    places.moved(article.id, target, digest)
    return Accepted(article.id, target, digest, before)


def _target(folder: Path, name: str, content: bytes, article: Article, own: list[Path]) -> Path:
    """A file that is free, or is the article's own, and from which the same article is read."""
    others = ("", "added", *(f"added-{number}" for number in range(2, _FOLDERS)))
    candidates = [*own, *(folder / other / name for other in others)]
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

"""Adding, replacing and removing articles of the writable corpus, durably.

The index is made from the corpus, so every later index has what is accepted here. An added article gets its own file.
Removing an article deletes that file and records the withdrawal at its address (`indexer.identity.ledger`). If the
article is in other files too, it gets a tombstone (`indexer.corpus.tombstones`). Only the addressed article is written,
replaced or deleted, and the result lists every such file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.corpus.corpus_cache import CorpusCache
from indexer.corpus.file_names import JSON_SUFFIX, file_name, free_paths, path_of, sent_paths
from indexer.corpus.files import Place, list_files
from indexer.corpus.progress import Progress
from indexer.corpus.reading import duplicate_id, parse_stating, read_bytes, read_stating
from indexer.corpus.tombstones import FILE as TOMBSTONES
from indexer.corpus.tombstones import writable_folder
from indexer.corpus.writable_corpus import Step, WritableCorpus
from indexer.identity.ledger import reserved
from indexer.identity.naming import by_folders, candidates
from indexer.readers.ids import article_id as checked_id
from indexer.readers.jsonl import article_json, with_id
from indexer.readers.metadata import FieldError
from indexer.readers.slug import slug
from kb.schema.article import Article
from kb.schema.errors import ArticleError, InvalidRequest, KbError
from kb.storage.articles import article_digest
from kb.storage.durable import changing
from kb.storage.sources import Sources


@dataclass(frozen=True, slots=True)
class Accepted:
    """An article that the corpus has now, and its file.

    `digest` is that of its content (`kb.storage.articles.article_digest`), `before` that of the article of its id until
    then, or None. `steps` are the files that were written, replaced or deleted for it.
    """

    id: str
    path: Path
    digest: str
    before: str | None
    steps: tuple[Step, ...] = ()

    @property
    def replaced(self) -> bool:
        """Whether there was an article with that id."""
        return self.before is not None


class PreconditionFailed(KbError):
    """The article in the corpus is not the one that a change was meant for."""


Precondition = Callable[[str | None, str | None], None]
"""Called before a change with the digests of the present and the new article, each None if there is none. It may raise
PreconditionFailed."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The outcome of adding or removing. `missing` are ids that the corpora do not have.

    `steps` are all files that were written, replaced or deleted, in order.
    """

    accepted: tuple[Accepted, ...] = ()
    failures: tuple[ArticleError, ...] = ()
    removed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


def add(
    corpora: Sequence[Path],
    paths: Sequence[Path],
    known: Sources | None = None,
    progress: Progress | None = None,
    names: Mapping[Path, str] | None = None,
    places: Mapping[Path, str] | None = None,
    cache: CorpusCache[WritableCorpus] | None = None,
    *,
    dry_run: bool = False,
) -> Edit:
    """Put the articles of files or folders into the writable corpus.

    An article that states its id replaces the one with that id. An article that states none is named by its file's
    path (`indexer.identity.naming`), and takes the place of the article with that name if it has the same title; else
    it is another article, which gets a file and an id of its own. What is returned as accepted is on disk. Of several
    articles that state one id in `paths` the first is taken, and each further one is a failure. An article that cannot
    be read stops no other. `known` spares reading what an index has seen; `names` are those to speak of files by, where
    they are not their paths, and `places` their POSIX paths, where these are not those in the folders given. `cache`
    spares looking where articles stand, also in `put` and `remove`. With `dry_run` nothing is written. Raises
    CorpusError for a path that is not there or has no corpus to go to, and OSError.
    """
    folder = writable_folder(corpora)
    files, refused = list_files(paths)
    progress = progress or Progress()
    progress.stage("corpus")
    with _writable(folder, corpora, known, cache, dry_run=dry_run) as corpus:
        adding = _Adding(corpus, (file.path for file in files))
        failures = list(refused)
        accepted: list[Accepted] = []
        for file in files:
            name = Path((names or {}).get(file.path, file.path))
            path = (places or {}).get(file.path) or path_of(file)
            for line, item, stated in read_stating(file.path):
                try:
                    if isinstance(item, ArticleError):
                        raise item
                    place = Place(name, line)
                    accepted.append(adding.add(file.path, path, place, item, stated=stated))
                except ArticleError as error:
                    failures.append(ArticleError(name, error.reason, error.line or line))
                progress.advance()
        return Edit(accepted=tuple(accepted), failures=tuple(failures), steps=tuple(corpus.steps))


def put(
    corpora: Sequence[Path],
    article_id: str,
    suffix: str,
    content: bytes,
    known: Sources | None = None,
    precondition: Precondition | None = None,
    cache: CorpusCache[WritableCorpus] | None = None,
) -> Accepted:
    """Put the one article that `content` is into the writable corpus, as the article with that id.

    `suffix` says how it is read (`indexer.readers.forms`, collections left out); it may leave its id out. The
    precondition is asked with nobody else changing the corpus. Raises ArticleError if it cannot be read or states
    another id, CorpusError, PreconditionFailed and OSError.
    """
    folder = writable_folder(corpora)
    name = file_name(article_id, suffix)
    try:
        checked_id(article_id)
    except FieldError as error:
        raise ArticleError(name, str(error)) from None
    if suffix == JSON_SUFFIX:
        content = with_id(content, article_id)
    article, stated = parse_stating(Path(name), content)
    if stated and article.id != article_id:
        raise ArticleError(
            name, f"has the id {article.id!r}, and not {article_id!r}: state that one in it"
        )
    if not stated and article_id not in by_folders(name):
        raise ArticleError(
            name, f"no file can be called {article_id!r}: state that id in it, as Markdown or JSON"
        )
    article = replace(article, id=article_id)
    with _writable(folder, corpora, known, cache, about=[article_id]) as corpus:
        if precondition is not None:
            precondition(corpus.digest(article_id), article_digest(article))
        if suffix == JSON_SUFFIX:
            content = article_json(article)
        return _put(corpus, sent_paths(name), content, article)


def remove(
    corpora: Sequence[Path],
    ids: Iterable[str],
    known: Sources | None = None,
    precondition: Precondition | None = None,
    cache: CorpusCache[WritableCorpus] | None = None,
    *,
    because: str = "",
    see: str = "",
    forget: bool = False,
    dry_run: bool = False,
) -> Edit:
    """Remove articles from the corpora for good.

    Their addresses then give the reason `because` and the id of the article to read instead, `see`. With
    `forget`, not even their titles are kept. If several files claim an id, the failure names them and nothing is
    removed. Raises InvalidRequest for a `see` that is no article, CorpusError, PreconditionFailed and OSError.
    """
    folder = writable_folder(corpora)
    removed: list[str] = []
    missing: list[str] = []
    failures: list[ArticleError] = []
    wanted = list(dict.fromkeys(ids))
    with _writable(folder, corpora, known, cache, about=wanted, dry_run=dry_run) as corpus:
        if see and (not corpus.has(see) or see in wanted):
            raise InvalidRequest("see", f"see is {see!r}: name the id of an article that stays.")
        for article_id in wanted:
            if not corpus.has(article_id):
                missing.append(article_id)
                continue
            rivals = corpus.rivals(article_id)
            if rivals:
                files = ", ".join(map(str, [corpus.place(article_id), *rivals]))
                reason = (
                    f"several articles have the id {article_id!r}: {files}. Delete the superfluous ones, or give "
                    "them other ids"
                )
                failures.append(ArticleError(corpus.place(article_id).path, reason))
                continue
            if precondition is not None:
                precondition(corpus.digest(article_id), None)
            reason = " ".join(because.split())
            corpus.withdraw(article_id, because=reason, see=see, forget=forget)
            removed.append(article_id)
        return Edit(
            failures=tuple(failures),
            removed=tuple(removed),
            missing=tuple(missing),
            steps=tuple(corpus.steps),
        )


class _Adding:
    """One run of `add`. It does not replace an article that it has just added, nor overwrite a `given` file."""

    def __init__(self, corpus: WritableCorpus, given: Iterable[Path]) -> None:
        self._corpus = corpus
        self._given = {path.resolve() for path in given}
        self._taken: dict[str, Place] = {}

    def add(
        self, source: Path, path: str, place: Place, article: Article, *, stated: bool
    ) -> Accepted:
        """Add one article of a file. `path` is its future POSIX path, `place` names it in messages."""
        corpus = self._corpus
        own = corpus.id_of_file(source) if place.line is None else None
        if own is not None:  # it is in the right place already
            article = replace(article, id=own)
            accepted = Accepted(own, source, article_digest(article), corpus.digest(own))
            corpus.keep(source, article)
        elif stated:
            if article.id in self._taken:
                raise duplicate_id(article.id, place, self._taken[article.id])
            there = corpus.own_file(article.id)
            if there is not None and there in self._given:
                raise duplicate_id(article.id, place, corpus.place(article.id))
            if place.line is not None:
                path = f"{slug(article.id)}{JSON_SUFFIX}"
            content = article_json(article) if place.line is not None else read_bytes(source)
            accepted = _put(corpus, free_paths(source, path), content, article)
        else:
            named = replace(article, id=self._id_of(source, path, article))
            accepted = _put(corpus, free_paths(source, path), read_bytes(source), named)
        self._taken.setdefault(accepted.id, place)
        return accepted

    def _id_of(self, source: Path, path: str, article: Article) -> str:
        """The id of an article that states none: that of the article with its name and title, or a new one."""
        corpus = self._corpus
        for name in free_paths(source, path):
            there = corpus.id_of_file(corpus.folder / name)
            for each in [*by_folders(name), *([there] if there is not None else [])]:
                if self._may_replace(each) and corpus.is_article(each, article.title, name):
                    return each
            if not (corpus.folder / name).exists():
                return next(filter(corpus.is_free, candidates(name)))
        raise AssertionError("there is always another number")

    def _may_replace(self, article_id: str) -> bool:
        """Whether the article with that id was neither just added nor is among the files being read."""
        there = self._corpus.own_file(article_id)
        return article_id not in self._taken and (there is None or there not in self._given)


def _put(
    corpus: WritableCorpus, paths: Iterable[str], content: bytes, article: Article
) -> Accepted:
    """Put the article into its own file, or into the first free path."""
    address, before = corpus.address(article.id), corpus.digest(article.id)
    own = corpus.own_file(article.id)
    first = len(corpus.steps)
    for path in paths:
        if address is not None and address.state == "moved" and not corpus.has(article.id):
            raise ArticleError(path, reserved(address))
        targets = [corpus.folder / path] if corpus.can_write(path, content, article.id) else []
        for target in [*([own] if own is not None else []), *targets]:
            if _reads_back(target, content, article):
                corpus.write(target, content, article)
                steps = tuple(corpus.steps[first:])
                return Accepted(article.id, target, article_digest(article), before, steps)
        if targets:
            reason = f"cannot be stored as the article {article.id!r}: state that id in it"
            raise ArticleError(path, reason)
    raise AssertionError("there is always another path")


def _reads_back(target: Path, content: bytes, article: Article) -> bool:
    """Whether a file with that name and content reads back as the same article."""
    try:
        found, stated = parse_stating(target, content)
    except ArticleError:
        return False
    if stated and found.id != article.id:
        return False
    return article_digest(replace(found, id=article.id)) == article_digest(article)


def cached_corpus(known: Callable[[], Sources | None]) -> CorpusCache[WritableCorpus]:
    """A cache of article locations, for a process that makes many changes. `known` is called for a full reading."""
    return CorpusCache(lambda corpora: WritableCorpus(corpora, known()))


@contextmanager
def _writable(
    folder: Path,
    corpora: Sequence[Path],
    known: Sources | None,
    cache: CorpusCache[WritableCorpus] | None,
    *,
    about: Iterable[str] = (),
    dry_run: bool = False,
) -> Iterator[WritableCorpus]:
    """The locations of the articles, locked inside the block unless nothing will be changed.

    `about` are the ids that will be changed.
    """
    if dry_run:
        yield WritableCorpus(corpora, known, dry_run=True)
        return
    if cache is None:
        with changing(folder):
            yield WritableCorpus(corpora, known)
        return
    with cache.locked(folder):
        corpus = cache.get(tuple(corpora))
        own = filter(None, map(corpus.own_file, about))
        if not cache.are_unchanged([folder / TOMBSTONES, *own]):
            corpus = cache.refresh(tuple(corpora))
        corpus.begin()
        try:
            yield corpus
        except OSError:
            cache.invalidate()  # an unknown part was changed
            raise
        finally:
            cache.note(corpus.take_touched())

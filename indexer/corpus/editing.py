"""Given articles to add or ids to remove, the writable corpus changed so that a power cut does not undo it.

The corpus is the truth and the index is made from it: what is accepted here is in every index built afterwards. An
article that is added stands in a file of its own; one that is removed loses that file, gets a tombstone
(`indexer.corpus.tombstones`) where it stands in others too, and leaves an address that says so
(`indexer.identity.ledger`). Nothing is written, replaced or deleted but the article that was addressed, and every file
that is stands in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count, takewhile
from pathlib import Path, PurePosixPath

from indexer.corpus.files import CorpusFile, Place, is_article_name, list_files
from indexer.corpus.kept import Kept
from indexer.corpus.progress import Progress
from indexer.corpus.reading import duplicate_id, parse_stating, read_bytes, read_stating
from indexer.corpus.shelf import Shelf, Step
from indexer.corpus.tombstones import FILE as TOMBSTONES
from indexer.corpus.tombstones import writable_folder
from indexer.identity.ledger import reserved
from indexer.identity.naming import FOLDER_NAMES, by_folders, candidates
from indexer.readers.forms import ARTICLE_JSON, suffix_of
from indexer.readers.ids import article_id as checked_id
from indexer.readers.jsonl import article_json, with_id
from indexer.readers.metadata import FieldError
from indexer.readers.slug import slug
from kb.schema.article import Article
from kb.schema.errors import ArticleError, InvalidRequest, KbError
from kb.storage.articles import article_digest
from kb.storage.durable import changing
from kb.storage.sources import Sources

_JSON_SUFFIX = ARTICLE_JSON.suffixes[0]
_NAME_MAX_BYTES = 200


@dataclass(frozen=True, slots=True)
class Accepted:
    """An article that is in the corpus now, and its file.

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
        """Whether there was an article of that id."""
        return self.before is not None


class PreconditionFailed(KbError):
    """The article in the corpus is not the one that a change was meant for."""


Precondition = Callable[[str | None, str | None], None]
"""Is told the digests of the article that is there and of the one that takes its place, each None where there is none,
before anything is changed; may raise PreconditionFailed."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What became of what was to be added or removed; `missing` are ids that the corpora do not have.

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
    kept: Kept[Shelf] | None = None,
    *,
    dry_run: bool = False,
) -> Edit:
    """Put the articles of files or folders into the writable corpus.

    An article that states its id takes the place of the one of that id. One that states none is named by its file's
    path (`indexer.identity.naming`), and takes the place of the article of that name if it has the same title; else it
    is another article, which gets a file and an id of its own. What is returned as accepted is on disk. Of several
    articles that state one id in `paths` the first is taken, and each further one is a failure. An article that cannot
    be read stops no other. `known` spares reading what an index has seen; `names` are those to speak of files by, where
    they are not their paths, and `places` their POSIX paths, where these are not those in the folders given. `kept`
    spares looking where articles stand, also in `put` and `remove`. With `dry_run` nothing is written. Raises
    CorpusError for a path that is not there or has no corpus to go to, and OSError.
    """
    folder = writable_folder(corpora)
    files, refused = list_files(paths)
    progress = progress or Progress()
    progress.stage("corpus")
    with _shelf(folder, corpora, known, kept, dry_run=dry_run) as shelf:
        adding = _Adding(shelf, (file.path for file in files))
        failures = list(refused)
        accepted: list[Accepted] = []
        for file in files:
            name = Path((names or {}).get(file.path, file.path))
            path = (places or {}).get(file.path) or _path_of(file)
            for line, item, stated in read_stating(file.path):
                try:
                    if isinstance(item, ArticleError):
                        raise item
                    place = Place(name, line)
                    accepted.append(adding.add(file.path, path, place, item, stated=stated))
                except ArticleError as error:
                    failures.append(ArticleError(name, error.reason, error.line or line))
                progress.advance()
        return Edit(accepted=tuple(accepted), failures=tuple(failures), steps=tuple(shelf.steps))


def put(
    corpora: Sequence[Path],
    article_id: str,
    suffix: str,
    content: bytes,
    known: Sources | None = None,
    precondition: Precondition | None = None,
    kept: Kept[Shelf] | None = None,
) -> Accepted:
    """Put the one article that `content` is into the writable corpus, as the article of that id.

    `suffix` says how it is read (`indexer.readers.forms`, collections left out); it may leave its id out. The
    precondition is asked with nobody else changing the corpus. Raises ArticleError where it cannot be read or states
    another id, CorpusError, PreconditionFailed and OSError.
    """
    folder = writable_folder(corpora)
    name = _file_name(article_id, suffix)
    try:
        checked_id(article_id)
    except FieldError as error:
        raise ArticleError(name, str(error)) from None
    if suffix == _JSON_SUFFIX:
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
    with _shelf(folder, corpora, known, kept, about=[article_id]) as shelf:
        if precondition is not None:
            precondition(shelf.digest(article_id), article_digest(article))
        if suffix == _JSON_SUFFIX:
            content = article_json(article)
        return _put(shelf, _added(name), content, article)


def remove(
    corpora: Sequence[Path],
    ids: Iterable[str],
    known: Sources | None = None,
    precondition: Precondition | None = None,
    kept: Kept[Shelf] | None = None,
    *,
    because: str = "",
    see: str = "",
    forget: bool = False,
    dry_run: bool = False,
) -> Edit:
    """Take articles out of the corpora for good.

    Their addresses say so from then on: `because` why, and `see` the id of the article to read in their place. With
    `forget`, not even their titles are kept. Where
    several files claim an id, that is a failure which names them, and nothing is removed. Raises InvalidRequest for a
    `see` that is no article, CorpusError, PreconditionFailed and OSError.
    """
    folder = writable_folder(corpora)
    removed: list[str] = []
    missing: list[str] = []
    failures: list[ArticleError] = []
    wanted = list(dict.fromkeys(ids))
    with _shelf(folder, corpora, known, kept, about=wanted, dry_run=dry_run) as shelf:
        if see and (not shelf.has(see) or see in wanted):
            raise InvalidRequest("see", f"see is {see!r}: name the id of an article that stays.")
        for article_id in wanted:
            if not shelf.has(article_id):
                missing.append(article_id)
                continue
            rivals = shelf.rivals(article_id)
            if rivals:
                files = ", ".join(map(str, [shelf.place(article_id), *rivals]))
                reason = (
                    f"several articles have the id {article_id!r}: {files}. Delete those that are not wanted, or give "
                    "them other ids"
                )
                failures.append(ArticleError(shelf.place(article_id).path, reason))
                continue
            if precondition is not None:
                precondition(shelf.digest(article_id), None)
            reason = " ".join(because.split())
            shelf.withdraw(article_id, because=reason, see=see, forget=forget)
            removed.append(article_id)
        return Edit(
            failures=tuple(failures),
            removed=tuple(removed),
            missing=tuple(missing),
            steps=tuple(shelf.steps),
        )


class _Adding:
    """One run of `add`. What it has taken it does not replace, and no file that was `given` is written over."""

    def __init__(self, shelf: Shelf, given: Iterable[Path]) -> None:
        self._shelf = shelf
        self._given = {path.resolve() for path in given}
        self._taken: dict[str, Place] = {}

    def add(
        self, source: Path, path: str, place: Place, article: Article, *, stated: bool
    ) -> Accepted:
        """One article of a file: `path` is the POSIX path that it is to have, `place` how to speak of it."""
        shelf = self._shelf
        own = shelf.id_of_file(source) if place.line is None else None
        if own is not None:  # it lies where it belongs
            article = replace(article, id=own)
            accepted = Accepted(own, source, article_digest(article), shelf.digest(own))
            shelf.keep(source, article)
        elif stated:
            if article.id in self._taken:
                raise duplicate_id(article.id, place, self._taken[article.id])
            there = shelf.own_file(article.id)
            if there is not None and there in self._given:
                raise duplicate_id(article.id, place, shelf.place(article.id))
            if place.line is not None:
                path = f"{slug(article.id)}{_JSON_SUFFIX}"
            content = article_json(article) if place.line is not None else read_bytes(source)
            accepted = _put(shelf, _paths(source, path), content, article)
        else:
            named = replace(article, id=self._id_of(source, path, article))
            accepted = _put(shelf, _paths(source, path), read_bytes(source), named)
        self._taken.setdefault(accepted.id, place)
        return accepted

    def _id_of(self, source: Path, path: str, article: Article) -> str:
        """The id of an article that states none: that of the article of its name and title, or else a new one."""
        shelf = self._shelf
        for name in _paths(source, path):
            there = shelf.id_of_file(shelf.folder / name)
            for each in [*by_folders(name), *([there] if there is not None else [])]:
                if self._may_replace(each) and shelf.is_article(each, article.title, name):
                    return each
            if not (shelf.folder / name).exists():
                return next(filter(shelf.is_free, candidates(name)))
        raise AssertionError("there is always another number")

    def _may_replace(self, article_id: str) -> bool:
        """Whether the article of that id is neither one that was just taken nor one that is being read."""
        there = self._shelf.own_file(article_id)
        return article_id not in self._taken and (there is None or there not in self._given)


def _put(shelf: Shelf, paths: Iterable[str], content: bytes, article: Article) -> Accepted:
    """The article into its own file, or into the first of those paths that is free."""
    address, before = shelf.address(article.id), shelf.digest(article.id)
    own = shelf.own_file(article.id)
    first = len(shelf.steps)
    for path in paths:
        if address is not None and address.state == "moved" and not shelf.has(article.id):
            raise ArticleError(path, reserved(address))
        targets = [shelf.folder / path] if shelf.can_write(path, content, article.id) else []
        for target in [*([own] if own is not None else []), *targets]:
            if _reads_back(target, content, article):
                shelf.write(target, content, article)
                steps = tuple(shelf.steps[first:])
                return Accepted(article.id, target, article_digest(article), before, steps)
        if targets:
            reason = f"cannot be stored as the article {article.id!r}: state that id in it"
            raise ArticleError(path, reason)
    raise AssertionError("there is always another path")


def _reads_back(target: Path, content: bytes, article: Article) -> bool:
    """Whether the same article is read from a file of that name."""
    try:
        found, stated = parse_stating(target, content)
    except ArticleError:
        return False
    if stated and found.id != article.id:
        return False
    return article_digest(replace(found, id=article.id)) == article_digest(article)


def keep_shelf(known: Callable[[], Sources | None]) -> Kept[Shelf]:
    """Where articles stand, for one process that makes many changes. `known` is asked when all has to be read anew."""
    return Kept(lambda corpora: Shelf(corpora, known()))


@contextmanager
def _shelf(
    folder: Path,
    corpora: Sequence[Path],
    known: Sources | None,
    kept: Kept[Shelf] | None,
    *,
    about: Iterable[str] = (),
    dry_run: bool = False,
) -> Iterator[Shelf]:
    """Where the articles stand, with nobody else changing it inside the block, unless nothing is to be changed.

    `about` are the ids that will be changed.
    """
    if dry_run:
        yield Shelf(corpora, known, dry_run=True)
        return
    if kept is None:
        with changing(folder):
            yield Shelf(corpora, known)
        return
    with kept.turn(folder):
        shelf = kept.get(tuple(corpora))
        own = filter(None, map(shelf.own_file, about))
        if not kept.are_as_noted([folder / TOMBSTONES, *own]):
            shelf = kept.renew(tuple(corpora))
        shelf.begin()
        try:
            yield shelf
        except OSError:
            kept.forget()  # something was changed, and nobody knows how much
            raise
        finally:
            kept.note(shelf.take_touched())


def _path_of(file: CorpusFile) -> str:
    """The POSIX path of a file that was given: that in the folder given, which the folder's own article keeps."""
    name = PurePosixPath(file.name)
    if len(name.parts) == 1 and name.stem.casefold() in FOLDER_NAMES:
        folder = file.path.absolute().parent.name
        if folder and is_article_name(f"{folder}.md"):
            return f"{folder}/{name}"
    return file.name


def _paths(source: Path, path: str) -> Iterator[str]:
    """Paths for a new file, the plainest first: as it was given, in the folders that it comes from, with a number."""
    yield path
    folders = source.absolute().parts[1 : -len(PurePosixPath(path).parts)]
    usable = takewhile(lambda name: is_article_name(f"{name}.md"), reversed(folders))
    for folder in usable:
        path = f"{folder}/{path}"
        yield path
    suffix = suffix_of(path)
    stem = path.removesuffix(suffix)
    yield from (f"{stem}-{number}{suffix}" for number in count(2))


def _added(name: str) -> Iterator[str]:
    """Paths for a file of that name that was sent by itself."""
    yield name
    yield f"added/{name}"
    yield from (f"added-{number}/{name}" for number in count(2))


def _file_name(article_id: str, suffix: str) -> str:
    """The name of a file for the article: its id where that can be one, and else a slug of it."""
    name = f"{article_id}{suffix}"
    is_plain = "/" not in article_id and len(name.encode(errors="replace")) <= _NAME_MAX_BYTES
    if suffix == _JSON_SUFFIX or not is_plain or not is_article_name(name):
        name = f"{slug(article_id)}{suffix}"
    return name

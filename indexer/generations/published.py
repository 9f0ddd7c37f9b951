"""Which articles an index publishes, and whether a build may take that many of them away.

A disk that is not mounted, a typing error in `--corpus` and a pattern that deleted too much all look like articles that
were taken out on purpose. So a build that would empty a corpus of the live generation, or take more than half of what
is published, changes nothing unless it is told to. What was removed by id counts as told.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from indexer.corpus.files import list_files
from indexer.corpus.scan import Scan
from indexer.corpus.tombstones import FILE as TOMBSTONES
from indexer.corpus.unsupported_files import nothing_usable
from indexer.identity.ledger import Spot
from indexer.readers.forms import is_collection
from kb.schema.errors import ArticleError, CorpusError, IndexUnusable
from kb.storage.generation import current_generation, generation_path, generations
from kb.storage.manifest import FILE as MANIFEST
from kb.storage.manifest import FORMAT_VERSION, Manifest
from kb.storage.sources import FILE as SOURCES
from kb.storage.sources import Sources

_REMEDY = "Nothing was changed. If they are to go, run `kb build --replace`, or rebuild with `replace` over HTTP."

_Place = tuple[str, str]
"""A corpus as an absolute path, and a POSIX path in it."""


class PublishedFile(NamedTuple):
    """One file as the index has it: the SHA-256 of its content, and the articles published from it."""

    sha256: str
    articles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Published:
    """The ids of the articles of a generation, and the files of its corpora that they stood in."""

    articles: frozenset[str]
    files: Mapping[_Place, PublishedFile]

    @classmethod
    def of(cls, manifest: Manifest, sources: Sources) -> Published:
        """What a generation of this format publishes."""
        files = (
            (file.corpus, file.name, file.sha256, [entry.id for entry in file.articles])
            for file in sources.files
        )
        return _published(sources.articles, [corpus.path for corpus in manifest.corpora], files)

    def ids_by_spot(self, corpora: Sequence[Path]) -> dict[Spot, str]:
        """The ids of the files of these corpora that held one article."""
        numbers = {str(corpus.resolve()): number for number, corpus in enumerate(corpora)}
        return {
            Spot(numbers[place], name): next(iter(file.articles))
            for (place, name), file in self.files.items()
            if place in numbers and len(file.articles) == 1 and not is_collection(name)
        }

    def of_corpus(self, corpus: Path) -> frozenset[str]:
        """The articles that stood in that corpus."""
        place = str(corpus.resolve())
        return _union(file.articles for (at, _), file in self.files.items() if at == place)

    def lacking(self, scan: Scan) -> frozenset[str]:
        """The articles that a finished scan has not, those that tombstones hide left out.

        A file that has another name and the same content still has its articles, be it by other ids, and so has one
        that was recognised as renamed. An article that is not to be shown yet, or no longer, is not missing.
        """
        there = {file.sha256 for file in scan.files if file.articles}
        moved = _union(file.articles for file in self.files.values() if file.sha256 in there)
        moved |= scan.moved.keys() | scan.waiting.keys()
        return self.articles - scan.articles.keys() - scan.hidden - moved

    def unreadable(self, scan: Scan, corpora: Sequence[Path]) -> frozenset[str]:
        """The articles that a finished scan of the corpora has not since their file, or a folder above it, failed."""
        places = [str(corpus.resolve()) for corpus in corpora]
        whole = {(places[file.corpus], file.name) for file in scan.files if not file.failures}
        failed = {
            (place, Path(failure.path).relative_to(corpus).as_posix())
            for failure in scan.failures
            for place, corpus in zip(places, corpora, strict=True)
            if Path(failure.path).is_relative_to(corpus)
        } - whole
        found = _union(
            file.articles
            for (place, name), file in self.files.items()
            if any((place, above) in failed for above in _and_above(name))
        )
        return found - scan.articles.keys() - scan.hidden


def published(index: Path) -> Published | None:
    """What the live generation publishes, or the newest whose record can be read, of whatever format.

    None if nothing is, or nobody can tell what.
    """
    try:
        names = [current_generation(index)]
    except IndexUnusable:
        names = []
    for name in [*names, *generations(index)]:
        # An earlier format's record is read as far as it is needed here, and nothing else of that generation is.
        with suppress(OSError, ValueError, KeyError, TypeError, IndexUnusable):
            return _read(generation_path(index, name))
    return None


def check_corpora(index: Path, corpora: Sequence[Path], *, replace: bool) -> tuple[Path, ...]:
    """The corpora, all of which are there and can be read.

    With `replace`, those of the live generation that cannot are left out, where others are left. Raises CorpusError,
    which says what such a corpus would take from the index.
    """
    if not corpora:
        list_files(corpora)
    found = []
    failed: CorpusError | None = None
    for corpus in corpora:
        try:
            list_files([corpus])
        except CorpusError as error:
            before = published(index)
            lost = before.of_corpus(corpus) if before else frozenset[str]()
            if before is None or not lost:
                raise
            failed = failed or CorpusError(
                f"{error}. {_count(lost, before)} stood in it. {_REMEDY}"
            )
        else:
            found.append(corpus)
    if failed and not (replace and found):
        raise failed
    return tuple(found)


def check_loss(
    before: Published, scan: Scan, corpora: Sequence[Path], removed: Collection[str]
) -> None:
    """Raise CorpusError if a finished scan of the corpora lacks too much of what was published `before`.

    That is all articles of a corpus that has none now, or more than half of all articles; those that were `removed` by
    id do not count, nor does what moved to another corpus, or into a file of another name.
    """
    lost = before.lacking(scan).difference(removed)
    for number, corpus in enumerate(corpora):
        gone = lost & before.of_corpus(corpus)
        if gone and not any(file.articles for file in scan.files if file.corpus == number):
            files, _ = list_files([corpus])
            reason = nothing_usable([corpus], files, _failures_in(corpus, scan))
            raise CorpusError(f"{reason}. {_count(gone, before)} stood in it. {_REMEDY}")
    if 2 * len(lost) > len(before.articles):
        where = ", ".join(map(str, corpora))
        told = f"{_count(lost, before)} are not in {where}{_first(scan)}. {_REMEDY}"
        if not scan.articles and not scan.waiting:
            files, _ = list_files(corpora)
            reason = nothing_usable(corpora, files, scan.failures)
            told = f"{reason}. {_count(lost, before)} would go. {_REMEDY}"
        raise CorpusError(told)


def check_return(
    before: Published, scan: Scan, left_out: Sequence[Path], removed: Collection[str]
) -> None:
    """Raise CorpusError if articles that were `removed` are back, since corpora were `left_out` that hid them."""
    back = scan.articles.keys() & set(removed) - before.articles
    if back:
        raise CorpusError(
            f"{', '.join(map(str, left_out))} cannot be read, and without its `{TOMBSTONES}` articles that were "
            f"removed ({len(back):,}) would be published again. Nothing was changed. Put it back, or name all "
            "corpora that there are with --corpus."
        )


def _read(folder: Path) -> Published:
    content = json.loads((folder / MANIFEST).read_bytes())
    if content["format_version"] == FORMAT_VERSION:
        return Published.of(Manifest.load(folder), Sources.load(folder))
    corpora = [str(corpus["path"]) for corpus in content["corpora"]]
    sources = json.loads((folder / SOURCES).read_bytes())
    files = (
        (file["corpus"], file["name"], file["sha256"], [entry[0] for entry in file["articles"]])
        for file in sources["files"]
    )
    return _published(sources["articles"], corpora, files)


def _published(
    articles: Collection[str],
    corpora: Sequence[str],
    files: Iterator[tuple[int, str, str, list[str]]],
) -> Published:
    ids = frozenset(articles)
    return Published(
        ids,
        {
            (corpora[corpus], name): PublishedFile(sha256, ids.intersection(found))
            for corpus, name, sha256, found in files
        },
    )


def _union(sets: Iterator[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _and_above(name: str) -> tuple[str, ...]:
    """A file's path in its corpus and those of the folders above it, the corpus itself (".") the last."""
    path = PurePosixPath(name)
    return (name, *map(str, path.parents))


def _failures_in(corpus: Path, scan: Scan) -> list[ArticleError]:
    return [failure for failure in scan.failures if Path(failure.path).is_relative_to(corpus)]


def _count(ids: Collection[str], before: Published) -> str:
    return f"{len(ids):,} of the {len(before.articles):,} published articles"


def _first(scan: Scan) -> str:
    if not scan.failures:
        return ""
    rest = f" (and {len(scan.failures) - 1:,} more)" if len(scan.failures) > 1 else ""
    return f"; this cannot be read: {scan.failures[0]}{rest}"

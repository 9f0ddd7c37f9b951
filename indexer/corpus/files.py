"""The files of a corpus, in reading order.

A corpus is a folder or one file. A folder is searched at any depth for files of a readable form
(`indexer.readers.forms`), which are read in the order of their POSIX paths. Names that begin with "." or LICENSE are
skipped. `LEXICON_FILES` and `RECORD_FILES` in a folder's root are part of the corpus and have no articles. A link that
leads out of its folder is refused: write access to a corpus must not publish the rest of the disk.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from indexer.readers.detection import foreign_form_of_file, form_of_unsupported
from indexer.readers.forms import READABLE_SUFFIXES, reader_form
from kb.schema.errors import ArticleError, CorpusError

LEXICON_FILES = ("notices.yaml", "vocabulary.yaml")
"""Files of notices and synonyms in the root of a corpus (`indexer.lexicon.lexicon`)."""

RECORD_FILES = ("_removed.txt", "_addresses.jsonl")
"""Files that commands write into the root of a corpus (`indexer.corpus.tombstones`, `indexer.identity.ledger`)."""

SKIPPED_PREFIXES = (".", "LICENSE")
"""Prefixes of file and folder names that are skipped."""

_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file to read. `name` is its POSIX path in corpus number `corpus`, `path` opens it."""

    corpus: int
    name: str
    path: Path


class Place(NamedTuple):
    """The location of an article. `line` is its line in a JSONL file, or None."""

    path: Path
    line: int | None

    def __str__(self) -> str:
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"


def distinct(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths in order, without repeats. A corpus that is spelled in two ways keeps its first name."""
    found: dict[Path, Path] = {}
    for path in paths:
        found.setdefault(path.resolve(), path)
    return tuple(found.values())


def list_files(paths: Sequence[Path]) -> tuple[list[CorpusFile], list[ArticleError]]:
    """The files of `paths` in reading order, each once, and the refused ones.

    Raises CorpusError for a path that does not exist, cannot be read or has another suffix.
    """
    if not paths:
        raise CorpusError("no corpus is named: name a folder or a file of articles")
    files: list[CorpusFile] = []
    refused: list[ArticleError] = []
    seen: set[Path] = set()
    for corpus, path in enumerate(paths):
        _check_path(path)
        found = _folder(path, refused) if path.is_dir() else [path]
        for file in found:
            target = file.resolve()
            if target not in seen:
                seen.add(target)
                name = file.relative_to(path).as_posix() if path.is_dir() else file.name
                files.append(CorpusFile(corpus, name, file))
    return files, refused


def list_lexicons(paths: Sequence[Path]) -> tuple[list[CorpusFile], list[ArticleError]]:
    """The `LEXICON_FILES` in the roots of `paths`, in order, and the refused ones.

    Reads only the root of each folder. A path that is a file has none.
    """
    files: list[CorpusFile] = []
    refused: list[ArticleError] = []
    for corpus, root in enumerate(paths):
        for name in LEXICON_FILES:
            path = root / name
            if not os.path.lexists(path):
                continue
            problem = _problem(path, root.resolve())
            if problem is None and path.is_dir():
                problem = ArticleError(path, "is a folder: put a file in its place")
            if problem is None:
                files.append(CorpusFile(corpus, name, path))
            else:
                refused.append(problem)
    return files, refused


def lexicon_entries(paths: Sequence[Path]) -> list[tuple[int, str, str]]:
    """What `LEXICON_FILES` add to a fingerprint: the corpus, name and content hash of each."""
    files, _ = list_lexicons(paths)
    return [(file.corpus, file.name, content_hash(file.path)) for file in files]


def _check_path(path: Path) -> None:
    looked_for = ", ".join(f"*{suffix}" for suffix in READABLE_SUFFIXES)
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            with os.scandir(path):
                return
        if not _has_suffix(path):
            raise CorpusError(
                f"{path} {form_of_unsupported(path.name, foreign_form_of_file(path)).reason}"
            )
        if not path.is_file():
            raise CorpusError(f"{path} is neither a file nor a folder: name one of them")
        with path.open("rb"):
            return
    except FileNotFoundError:
        raise CorpusError(
            f"{path} does not exist: name a folder with articles ({looked_for}), or one such file"
        ) from None
    except OSError as error:
        raise CorpusError(
            f"{path} cannot be read ({error.strerror or error}): check its permissions"
        ) from None


def _folder(root: Path, refused: list[ArticleError]) -> list[Path]:
    """The files of a folder, sorted. Refused ones are appended to `refused`."""
    files: list[Path] = []
    links: list[Path] = []
    problems: list[ArticleError] = []
    inside = root.resolve()

    def unreadable(error: OSError) -> None:
        problems.append(
            ArticleError(error.filename or root, f"cannot be listed: {error.strerror or error}")
        )

    for folder, folder_names, file_names in walk(root, unreadable):
        names = [*filter(is_article_name, file_names), *folder_names]
        for path in (folder / name for name in names):
            problem = _problem(path, inside)
            if problem is not None:
                problems.append(problem)
            elif is_article_name(path.name) and path.is_file():
                (links if path.is_symlink() else files).append(path)
    # A linked file counts unless its target counts itself. A linked folder within the corpus is read
    # at its own place: os.walk does not follow links.
    targets = {path.resolve() for path in files}
    files += [path for path in links if path.resolve() not in targets]
    refused += sorted(problems, key=lambda error: error.path)
    return sorted(files, key=lambda path: path.relative_to(root).as_posix())


def walk(
    root: Path, unreadable: Callable[[OSError], None] | None = None
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Each folder of a corpus, with the names of its folders and files that are not skipped.

    `unreadable` is called for a folder that cannot be listed.
    """
    for folder, folder_names, file_names in os.walk(root, onerror=unreadable):
        folder_names[:] = [name for name in folder_names if not name.startswith(SKIPPED_PREFIXES)]
        yield (
            Path(folder),
            folder_names,
            [n for n in file_names if not n.startswith(SKIPPED_PREFIXES)],
        )


def passed_over(root: Path) -> list[Path]:
    """The files that would be articles but for their names (`SKIPPED_PREFIXES`). Hidden folders are left out."""
    return [
        Path(folder) / name
        for folder, _, file_names in _visible(root)
        for name in file_names
        if name.startswith(SKIPPED_PREFIXES) and _has_suffix(Path(name))
    ]


def _visible(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folder_names, file_names in os.walk(root):
        folder_names[:] = [name for name in folder_names if not name.startswith(SKIPPED_PREFIXES)]
        yield folder, folder_names, file_names


def _problem(path: Path, inside: Path) -> ArticleError | None:
    """Why a file or folder in a corpus is refused, or None."""
    reason = ""
    try:
        if path.is_symlink():
            if not path.resolve(strict=True).is_relative_to(inside):
                reason = "is a link that leaves the corpus: put a copy in its place"
        elif not path.is_dir() and not path.is_file():
            reason = "is not a regular file: take it out of the corpus"
    except (FileNotFoundError, RuntimeError):  # RuntimeError: a loop of links, until Python 3.12
        reason = "is a link to nothing: delete it, or put the file in its place"
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    return ArticleError(path, reason) if reason else None


def is_article_name(name: str) -> bool:
    """Whether a file with that name is read for articles."""
    return (
        _has_suffix(Path(name))
        and not name.startswith(SKIPPED_PREFIXES)
        and name not in RECORD_FILES
    )


def _has_suffix(path: Path) -> bool:
    return reader_form(path.name) is not None


def content_hash(path: Path) -> str:
    """The SHA-256 of a file's content in hex, or "unreadable"."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError:
        # Reading it fails too, so it has no articles. It gets another hash once it has some.
        return "unreadable"
    return digest.hexdigest()

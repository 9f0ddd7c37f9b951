"""Given the paths of a corpus, its files in reading order, and the articles of each.

A path is a file of one of `SUFFIXES`, or a folder, of which all such files are read, however deep,
in the order of their POSIX paths. In folders, names that start with "." or LICENSE are passed over.
`LEXICONS` in a folder's root, and `RECORDS`, are no articles, but part of the corpus.
A link that leads out of its folder is refused: a corpus is what its folder holds, and whoever may
write there may not thereby publish the rest of the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from indexer.readers.forms import form_of_bytes, form_of_file, form_of_other
from indexer.readers.jsonl import numbered_jsonl, read_article_json
from indexer.readers.plain_text import read_plain_text
from kb.schema.article import Article
from kb.schema.errors import ArticleError, CorpusError
from kb.schema.extras import missing

MARKDOWN_SUFFIXES = (".md", ".markdown")
TEXT_SUFFIX = ".txt"
ARTICLE_SUFFIX = ".article.json"
JSONL_SUFFIXES = (".jsonl", ".jsonl.gz")
SUFFIXES = (*MARKDOWN_SUFFIXES, TEXT_SUFFIX, ARTICLE_SUFFIX, *JSONL_SUFFIXES)

LEXICONS = ("notices.yaml", "vocabulary.yaml")
"""Files in the root of a corpus that say something of words (`indexer.lexicon.lexicon`)."""

RECORDS = ("_removed.txt", "_addresses.jsonl")
"""Files that commands write into the root of a corpus (`indexer.corpus.tombstones`, `indexer.identity.ledger`)."""

FILE_MAX_BYTES = 64 * 1024 * 1024
"""The largest Markdown or text file that is read; collections are JSONL and have no such bound."""

SKIPPED = (".", "LICENSE")
"""What the names of files and folders begin with that are passed over in a folder."""

_FINGERPRINT_FORMAT = "kb-corpus-1"
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file to read. `name` is its POSIX path in corpus number `corpus`, `path` opens it."""

    corpus: int
    name: str
    path: Path


class Place(NamedTuple):
    """Where an article stands; `line` is that of a JSONL file, or None."""

    path: Path
    line: int | None

    def __str__(self) -> str:
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"


def fingerprint_of(corpora: int, hashed: Iterable[tuple[int, str, str]]) -> str:
    """The fingerprint of so many corpora, from each file's corpus, name and content hash."""
    entries = sorted(hashed)
    # JSON and not a mere join: no name can then pass for the end of another entry.
    digest = hashlib.sha256(json.dumps([_FINGERPRINT_FORMAT, corpora]).encode())
    for entry in entries:
        digest.update(json.dumps(entry).encode() + b"\n")
    return digest.hexdigest()


def distinct(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths in their order, each corpus once, however it is spelled, as it was named first."""
    found: dict[Path, Path] = {}
    for path in paths:
        found.setdefault(path.resolve(), path)
    return tuple(found.values())


def list_files(paths: Sequence[Path]) -> tuple[list[CorpusFile], list[ArticleError]]:
    """The files of `paths` in reading order, each once, and what in them is refused.

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
    """Those of `LEXICONS` that stand in the roots of `paths`, in their order, and which are refused.

    Costs a look at each folder's root; a path that is a file has none.
    """
    files: list[CorpusFile] = []
    refused: list[ArticleError] = []
    for corpus, root in enumerate(paths):
        for name in LEXICONS:
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
    """What `LEXICONS` add to a fingerprint: corpus, name and content hash of each."""
    files, _ = list_lexicons(paths)
    return [(file.corpus, file.name, content_hash(file.path)) for file in files]


def read_file(path: Path) -> Iterator[tuple[int | None, Article | ArticleError]]:
    """The articles of one file, whatever its form, each with its line where it has one.

    An article that cannot be read is an ArticleError in its place; nothing is raised.
    """
    if path.name.lower().endswith(JSONL_SUFFIXES):
        form = form_of_file(path)
        if form is None:
            yield from numbered_jsonl(path)
        else:
            yield None, ArticleError(path, form.reason)
        return
    try:
        yield None, parse(path, read_bytes(path))
    except ArticleError as error:
        yield None, error


def article_at(path: Path, line: int | None) -> Article | None:
    """The article at that line of a file, None for the only one of it; None where none can be read there."""
    for at, item in read_file(path):
        if at == line and isinstance(item, Article):
            return item
    return None


def parse(path: Path, content: bytes) -> Article:
    """The article of a file of that name and content, which holds one. Raises ArticleError.

    One that states no id has the stem of `path` for one.
    """
    return parse_stating(path, content)[0]


def parse_stating(path: Path, content: bytes) -> tuple[Article, bool]:
    """The same, and whether the article states its id."""
    refuse_other_form(path, content)
    name = path.name.lower()
    if name.endswith(MARKDOWN_SUFFIXES):
        return _read_markdown(path, content)
    if name.endswith(ARTICLE_SUFFIX):
        return read_article_json(path, content), True
    return read_plain_text(path, content), False


def is_collection(name: str) -> bool:
    """Whether a file of that name holds any number of articles, which state their ids."""
    return name.lower().endswith(JSONL_SUFFIXES)


def _read_markdown(path: Path, content: bytes) -> tuple[Article, bool]:
    try:
        # An index is looked at, rolled back and rid of articles without a reader.
        from indexer.readers.markdown import parse_markdown  # noqa: PLC0415
    except ModuleNotFoundError as error:
        wants = f"{path} is not what the index holds, and reading it"
        raise missing(error.name, wants, "indexing") from None
    parsed = parse_markdown(path, content)
    return parsed.article, parsed.states_id


def refuse_other_form(path: Path, content: bytes) -> None:
    """Raise ArticleError for what is no article, whatever its name: a page of HTML, say, called *.txt."""
    form = form_of_bytes(path.name, content)
    if form is not None:
        raise ArticleError(path, form.reason)


def read_bytes(path: Path) -> bytes:
    """The bytes of a Markdown or text file; ArticleError where it is unreadable or too large."""
    try:
        if path.stat().st_size > FILE_MAX_BYTES:
            limit = FILE_MAX_BYTES >> 20
            raise ArticleError(path, f"is larger than {limit} MiB: split it, or make it JSONL")
        return path.read_bytes()
    except OSError as error:
        raise ArticleError(path, f"cannot be read: {error.strerror or error}") from None


def duplicate_id(article_id: str, place: Place, first: Place) -> ArticleError:
    """The failure of one of two articles with one id, which is that of `first`."""
    reason = f'the id "{article_id}" is already that of {first}, which stays: give one another id'
    return ArticleError(place.path, reason, place.line)


def _check_path(path: Path) -> None:
    looked_for = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            with os.scandir(path):
                return
        if not _has_suffix(path):
            raise CorpusError(f"{path} {form_of_other(path.name, form_of_file(path)).reason}")
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
    """The files of a folder, sorted; what is refused in it is appended to `refused`."""
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
    # A linked file counts where its target does not count by itself, as a hidden one does. A linked
    # folder within the corpus is read where it is: os.walk does not follow it.
    targets = {path.resolve() for path in files}
    files += [path for path in links if path.resolve() not in targets]
    refused += sorted(problems, key=lambda error: error.path)
    return sorted(files, key=lambda path: path.relative_to(root).as_posix())


def walk(
    root: Path, unreadable: Callable[[OSError], None] | None = None
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Each folder of a corpus with the names of the folders and of the files in it that are not passed over.

    `unreadable` is told of a folder that cannot be listed.
    """
    for folder, folder_names, file_names in os.walk(root, onerror=unreadable):
        folder_names[:] = [name for name in folder_names if not name.startswith(SKIPPED)]
        yield Path(folder), folder_names, [n for n in file_names if not n.startswith(SKIPPED)]


def passed_over(root: Path) -> list[Path]:
    """The files of a folder that would be articles but for their names (`SKIPPED`), hidden folders left unsearched."""
    return [
        Path(folder) / name
        for folder, _, file_names in _visible(root)
        for name in file_names
        if name.startswith(SKIPPED) and _has_suffix(Path(name))
    ]


def _visible(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folder_names, file_names in os.walk(root):
        folder_names[:] = [name for name in folder_names if not name.startswith(SKIPPED)]
        yield folder, folder_names, file_names


def _problem(path: Path, inside: Path) -> ArticleError | None:
    """Why a file or folder found in a corpus is refused; None where it is not."""
    reason = ""
    try:
        if path.is_symlink():
            if not path.resolve(strict=True).is_relative_to(inside):
                reason = "is a link that leaves the corpus: put a copy in its place"
        elif not path.is_dir() and not path.is_file():
            reason = "is not a regular file: take it out of the corpus"
    except (FileNotFoundError, RuntimeError):  # RuntimeError is a loop of links, until Python 3.12
        reason = "is a link to nothing: delete it, or put the file in its place"
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    return ArticleError(path, reason) if reason else None


def is_article_name(name: str) -> bool:
    """Whether a file of that name in a folder is taken for articles."""
    return _has_suffix(Path(name)) and not name.startswith(SKIPPED) and name not in RECORDS


def _has_suffix(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def content_hash(path: Path) -> str:
    """SHA-256, in hex, of a file's content; "unreadable" where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError:
        # Reading it fails as well, so it has no articles; it gets another hash when it has some.
        return "unreadable"
    return digest.hexdigest()

"""File names for articles in the writable corpus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, takewhile
from pathlib import Path, PurePosixPath

from indexer.corpus.files import CorpusFile, is_article_name
from indexer.identity.naming import FOLDER_FILE_STEMS
from indexer.readers.forms import ARTICLE_JSON, suffix_of
from indexer.readers.slug import slug

JSON_SUFFIX = ARTICLE_JSON.suffixes[0]
"""The suffix of files for articles from collections."""

_NAME_MAX_BYTES = 200
"""Maximum length in bytes of a file name made from an id."""


def path_of(file: CorpusFile) -> str:
    """The POSIX path of a given file, relative to the given folder. An index file keeps its folder's name."""
    name = PurePosixPath(file.name)
    if len(name.parts) == 1 and name.stem.casefold() in FOLDER_FILE_STEMS:
        folder = file.path.absolute().parent.name
        if folder and is_article_name(f"{folder}.md"):
            return f"{folder}/{name}"
    return file.name


def free_paths(source: Path, path: str) -> Iterator[str]:
    """Paths for a new file, the simplest first: as given, then with the folders that it comes from, then numbered."""
    yield path
    folders = source.absolute().parts[1 : -len(PurePosixPath(path).parts)]
    usable = takewhile(lambda name: is_article_name(f"{name}.md"), reversed(folders))
    for folder in usable:
        path = f"{folder}/{path}"
        yield path
    suffix = suffix_of(path)
    stem = path.removesuffix(suffix)
    yield from (f"{stem}-{number}{suffix}" for number in count(2))


def sent_paths(name: str) -> Iterator[str]:
    """Paths for a file that was sent without a folder."""
    yield name
    yield f"added/{name}"
    yield from (f"added-{number}/{name}" for number in count(2))


def file_name(article_id: str, suffix: str) -> str:
    """The file name for an article: its id if that is a valid name, otherwise a slug of it."""
    name = f"{article_id}{suffix}"
    is_plain = "/" not in article_id and len(name.encode(errors="replace")) <= _NAME_MAX_BYTES
    if suffix == JSON_SUFFIX or not is_plain or not is_article_name(name):
        name = f"{slug(article_id)}{suffix}"
    return name

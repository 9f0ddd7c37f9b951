"""Unpacks uploads into plain files of articles. No name and no size is trusted.

A refused file is named with the reason, and does not stop the others. An archive that would unpack to more than the
limits is refused as a whole. Files are written only below the given folder, and each part of a sent path is checked.
"""

from __future__ import annotations

import gzip
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from indexer.corpus.files import RECORD_FILES, SKIPPED_PREFIXES, is_article_name
from indexer.readers.detection import (
    HEAD_BYTES,
    foreign_form,
    foreign_form_of_file,
    form_of_unsupported,
)
from indexer.readers.forms import Form, reader_form
from kb.schema.errors import ArticleError

ZIP_SUFFIX = ".zip"

_GZIP_SUFFIX = ".gz"
_BLOCK_BYTES = 256 * 1024
_PART_MAX_BYTES = 255
_PARTS_MAX = 20
_NAME_MAX_BYTES = 1000
"""Systems allow paths about four times as long. A path that the system refuses would look like a broken disk."""
_DAMAGE = (
    EOFError,
    IndexError,
    NotImplementedError,
    OSError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""Everything that the libraries raise for damaged data. An offset before the file's start is an OSError."""
_NO_GZIP = "is not a complete gzip file: create it again"
_DAMAGED_MEMBER = "is damaged in the archive: pack it again"
_NO_ZIP = "is not a complete zip archive: create it again"
_SKIPPED = f"names that begin with . or LICENSE, and {' and '.join(RECORD_FILES)}, are no articles"

_END = b"PK\x05\x06"
_END_BYTES = 22
_COMMENT_MAX_BYTES = 65_535
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
_ENTRY_BYTES = 46 + 255
"""Size of one entry in an archive's directory, which bounds the directory's size."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on the total that all uploaded files may unpack to."""

    unpacked_bytes: int
    files: int


@dataclass(slots=True)
class Unpacked:
    """The files to read, each with its name for messages, the refused ones, and the skipped ones with the reason."""

    files: list[tuple[Path, str]] = field(default_factory=list)
    failures: list[ArticleError] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)


def unpack(sent: Sequence[tuple[str, Path]], folder: Path, limits: Limits) -> Unpacked:
    """Unpack the article files of an upload into `folder`. Raises OSError."""
    found = Unpacked()
    budget = _Budget(limits)
    for number, (name, path) in enumerate(sent):
        place = folder / str(number)
        try:
            found.files += _open(name, path, place, budget, found)
        except ArticleError as error:
            shutil.rmtree(place, ignore_errors=True)
            found.failures.append(error)
    return found


class _TooMuch(ArticleError):
    """The upload unpacks to more than the limits allow."""


class _Budget:
    """How much may still be unpacked."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes = limits.unpacked_bytes
        self._files = limits.files

    @property
    def directory_bytes(self) -> int:
        """Maximum length of an archive's directory, in bytes."""
        return self._limits.files * _ENTRY_BYTES

    def take_file(self, name: str) -> None:
        self._files -= 1
        if self._files < 0:
            raise _TooMuch(name, f"holds more than {self._limits.files:,} files: send fewer")

    def copy(self, name: str, blocks: Iterable[bytes], target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for block in blocks:
                self._bytes -= len(block)
                if self._bytes < 0:
                    limit = self._limits.unpacked_bytes
                    raise _TooMuch(name, f"unpacks to more than {limit:,} bytes: send less")
                file.write(block)


@contextmanager
def _reading(name: str, reason: str) -> Iterator[None]:
    """Turn damage into ArticleError. Write nothing inside the block, or a full disk would look like damage."""
    try:
        yield
    except _DAMAGE:
        raise ArticleError(name, reason) from None


def _blocks(source: IO[bytes], name: str, reason: str) -> Iterator[bytes]:
    """The content of `source`, block by block. Raises ArticleError with that reason if it is damaged."""
    while True:
        with _reading(name, reason):
            block = source.read(_BLOCK_BYTES)
        if not block:
            return
        yield block


def _open(
    name: str, path: Path, place: Path, budget: _Budget, found: Unpacked
) -> list[tuple[Path, str]]:
    parts = _parts(name, name)
    if name.lower().endswith(ZIP_SUFFIX):
        return list(_unzipped(name, path, place, budget, found))
    budget.take_file(name)
    if not is_article_name(parts[-1]):
        raise ArticleError(name, _why_no_article(parts[-1], foreign_form_of_file(path)))
    target = place.joinpath(*parts)
    with path.open("rb") as source:
        if _is_compressed(target):
            return [(_decompressed(name, source, target, budget), name)]
        budget.copy(name, iter(partial(source.read, _BLOCK_BYTES), b""), target)
    return [(target, name)]


def _is_compressed(target: Path) -> bool:
    return target.name.lower().endswith(_GZIP_SUFFIX)


def _decompressed(name: str, source: IO[bytes], target: Path, budget: _Budget) -> Path:
    """The content in a file beside `target`."""
    target = target.with_name(target.name[: -len(_GZIP_SUFFIX)])
    with gzip.open(source, "rb") as stream:
        budget.copy(name, _blocks(stream, name, _NO_GZIP), target)  # type: ignore[arg-type]
    return target


def _unzipped(
    name: str, path: Path, place: Path, budget: _Budget, found: Unpacked
) -> Iterator[tuple[Path, str]]:
    _check_directory(name, path, budget)
    with _reading(name, _NO_ZIP):
        archive = zipfile.ZipFile(path)
    failures, passed_over = [], []
    with closing(archive):
        for member in archive.infolist():
            # Not is_dir(), which fails for a name that begins with NUL.
            if member.orig_filename.endswith("/"):
                continue
            shown = f"{name}/{member.filename}"
            budget.take_file(name)
            try:
                parts = _member_parts(archive, shown, member)
                if _is_skipped(parts):
                    passed_over.append((shown, _SKIPPED))
                    continue
                yield _member(archive, member, shown, place.joinpath(*parts), budget), shown
            except _TooMuch as error:
                raise _TooMuch(name, error.reason) from None
            except ArticleError as error:
                failures.append(error)
    found.failures += failures
    found.passed_over += passed_over


def _member_parts(archive: zipfile.ZipFile, shown: str, member: zipfile.ZipInfo) -> tuple[str, ...]:
    parts = _parts(shown, member.orig_filename)
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise ArticleError(shown, "is a link or a device, not a file: replace it with the file")
    if member.flag_bits & 1:
        raise ArticleError(shown, "is encrypted: send it unencrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArticleError(shown, "is compressed by another method than deflate: use deflate")
    if not _is_skipped(parts) and not is_article_name(parts[-1]):
        with _reading(shown, _DAMAGED_MEMBER), archive.open(member) as source:
            form = foreign_form(shown, source.read(HEAD_BYTES))
        raise ArticleError(shown, _why_no_article(parts[-1], form))
    return parts


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, shown: str, target: Path, budget: _Budget
) -> Path:
    with _reading(shown, _DAMAGED_MEMBER):
        source = archive.open(member)
    try:
        with source:
            if _is_compressed(target):
                return _decompressed(shown, source, target, budget)
            budget.copy(shown, _blocks(source, shown, _DAMAGED_MEMBER), target)
            return target
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise ArticleError(shown, "is in the archive twice: leave one out") from None


def _parts(shown: str, name: str) -> tuple[str, ...]:
    """The parts of a relative path that stays below its start. Raises ArticleError for any other name."""
    reason = ""
    parts = name.split("/")
    if not name:
        reason = "has no name: give it one"
    elif not name.isprintable():
        reason = "has a name that cannot be printed: rename it"
    elif "\\" in name or name.startswith("/") or ".." in parts or name[1:2] == ":":
        reason = "has a name that leads out of the archive: give it a relative path, with / and without .."
    elif "" in parts or "." in parts or len(parts) > _PARTS_MAX:
        reason = "has a name that is not a plain path: rename it"
    elif any(len(part.encode(errors="replace")) > _PART_MAX_BYTES for part in parts):
        reason = f"has a name longer than {_PART_MAX_BYTES} bytes: shorten it"
    elif len(name.encode(errors="replace")) > _NAME_MAX_BYTES:
        reason = f"has a path longer than {_NAME_MAX_BYTES:,} bytes: shorten it"
    if reason:
        raise ArticleError(shown or "a file", reason)
    return tuple(parts)


def _is_skipped(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(SKIPPED_PREFIXES) for part in parts) or parts[-1] in RECORD_FILES


def _why_no_article(name: str, content: Form | None) -> str:
    if reader_form(name) is None:
        return form_of_unsupported(name, content).reason
    return f"is passed over: {_SKIPPED}"


def _check_directory(name: str, path: Path, budget: _Budget) -> None:
    """Refuse an archive whose directory would fill the memory: the library reads it all at once."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - _COMMENT_MAX_BYTES - _ZIP64_LOCATOR_BYTES))
        tail = file.read()
    # Searched for in the same way as the library does, so that both find the same one.
    end = len(tail) - _END_BYTES
    if end < 0 or not (tail[end:].startswith(_END) and tail.endswith(b"\0\0")):
        end = tail.rfind(_END)
    if end < 0:
        raise ArticleError(name, _NO_ZIP)
    directory_bytes = int.from_bytes(tail[end + 12 : end + 16], "little")
    above = tail[max(0, end - _ZIP64_LOCATOR_BYTES) : end]
    if above.startswith(_ZIP64_LOCATOR) or directory_bytes > budget.directory_bytes:
        raise ArticleError(name, "lists too many files: send them in several archives")

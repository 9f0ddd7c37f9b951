"""Given files that were sent, plain files of articles: archives unpacked, every name and size distrusted.

What is refused is named, with its reason, and stops nothing else; an archive that would unpack to more than is allowed
is refused as a whole. Nothing is written but below the given folder, and no name of a sender's is a path there that
was not checked part by part.
"""

from __future__ import annotations

import gzip
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from indexer.corpus import SUFFIXES, is_article_name
from kb.errors import ArticleError

ZIP_SUFFIX = ".zip"

_GZIP_SUFFIX = ".gz"
_BLOCK_BYTES = 256 * 1024
_PART_MAX_BYTES = 255
_PARTS_MAX = 20
_SKIPPED = "names that begin with . or _, README and LICENSE are no articles"

_END = b"PK\x05\x06"
_END_BYTES = 22
_COMMENT_MAX_BYTES = 65_535
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
_ENTRY_BYTES = 46 + 255
"""Room for one entry of an archive's directory, by which the whole of it is bounded."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much what was sent may unpack to, all of it together."""

    unpacked_bytes: int
    files: int


@dataclass(slots=True)
class Unpacked:
    """The files to read, each with the name to speak of it by; what is refused; what is passed over, and why."""

    files: list[tuple[Path, str]] = field(default_factory=list)
    failures: list[ArticleError] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)


def unpack(sent: Sequence[tuple[str, Path]], folder: Path, limits: Limits) -> Unpacked:
    """The articles' files of what was sent under these names, written into `folder`. Raises OSError."""
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
    """What was sent unpacks to more than is allowed."""


class _Budget:
    """What may still be unpacked."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes = limits.unpacked_bytes
        self._files = limits.files

    @property
    def directory_bytes(self) -> int:
        """How long the directory of an archive may be."""
        return self._limits.files * _ENTRY_BYTES

    def take_file(self, name: str) -> None:
        self._files -= 1
        if self._files < 0:
            raise _TooMuch(name, f"holds more than {self._limits.files:,} files: send fewer")

    def copy(self, name: str, source: IO[bytes], target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            while block := source.read(_BLOCK_BYTES):
                self._bytes -= len(block)
                if self._bytes < 0:
                    limit = self._limits.unpacked_bytes
                    raise _TooMuch(name, f"unpacks to more than {limit:,} bytes: send less")
                file.write(block)


def _open(
    name: str, path: Path, place: Path, budget: _Budget, found: Unpacked
) -> list[tuple[Path, str]]:
    parts = _parts(name, name)
    if name.lower().endswith(ZIP_SUFFIX):
        return list(_unzipped(name, path, place, budget, found))
    budget.take_file(name)
    if not is_article_name(parts[-1]):
        raise ArticleError(name, _why_no_article(parts[-1]))
    target = place.joinpath(*parts)
    with path.open("rb") as source:
        return [(_plain(name, source, target, budget), name)]


def _plain(name: str, source: IO[bytes], target: Path, budget: _Budget) -> Path:
    """The content in `target`, or beside it where it was compressed."""
    if not target.name.lower().endswith(_GZIP_SUFFIX):
        budget.copy(name, source, target)
        return target
    target = target.with_name(target.name[: -len(_GZIP_SUFFIX)])
    try:
        with gzip.open(source, "rb") as stream:
            budget.copy(name, stream, target)  # type: ignore[arg-type]
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ArticleError(name, "is not, or not to its end, a gzip file: write it again") from None
    return target


def _unzipped(
    name: str, path: Path, place: Path, budget: _Budget, found: Unpacked
) -> Iterator[tuple[Path, str]]:
    _check_directory(name, path, budget)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError):
        raise ArticleError(name, "is not a whole zip archive: write it again") from None
    failures, passed_over = [], []
    with closing(archive):
        for member in archive.infolist():
            if member.is_dir():
                continue
            shown = f"{name}/{member.filename}"
            budget.take_file(name)
            try:
                parts = _member_parts(shown, member)
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


def _member_parts(shown: str, member: zipfile.ZipInfo) -> tuple[str, ...]:
    parts = _parts(shown, member.orig_filename)
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise ArticleError(shown, "is a link or a device and no file: put the file in its place")
    if member.flag_bits & 1:
        raise ArticleError(shown, "is encrypted: send it in the clear")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArticleError(shown, "is compressed in another way than deflate: pack it so")
    if not _is_skipped(parts) and not is_article_name(parts[-1]):
        raise ArticleError(shown, _why_no_article(parts[-1]))
    return parts


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, shown: str, target: Path, budget: _Budget
) -> Path:
    try:
        with archive.open(member) as source:
            return _plain(shown, source, target, budget)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise ArticleError(shown, "stands in the archive twice: leave one out") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise ArticleError(shown, "is damaged in the archive: pack it anew") from None


def _parts(shown: str, name: str) -> tuple[str, ...]:
    """The parts of a relative path that stays below where it begins. Raises ArticleError for any other name."""
    reason = ""
    parts = name.split("/")
    if not name:
        reason = "has no name: give it one"
    elif not name.isprintable():
        reason = "has a name that cannot be printed: rename it"
    elif "\\" in name or name.startswith("/") or ".." in parts or name[1:2] == ":":
        reason = "has a name that leads elsewhere: give it a relative one, with / and without .."
    elif "" in parts or "." in parts or len(parts) > _PARTS_MAX:
        reason = "has a name that is no plain path: rename it"
    elif any(len(part.encode(errors="replace")) > _PART_MAX_BYTES for part in parts):
        reason = f"has a name longer than {_PART_MAX_BYTES} bytes: shorten it"
    if reason:
        raise ArticleError(shown or "a file", reason)
    return tuple(parts)


def _is_skipped(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith((".", "_")) for part in parts)
    return hidden or parts[-1].startswith(("README", "LICENSE"))


def _why_no_article(name: str) -> str:
    if not name.lower().endswith(SUFFIXES):
        return f"is none of {', '.join((*SUFFIXES, ZIP_SUFFIX))}: send it in one of these forms"
    return f"is passed over: {_SKIPPED}"


def _check_directory(name: str, path: Path, budget: _Budget) -> None:
    """Refuse an archive whose directory alone would fill the memory: the library reads all of it at once."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - _COMMENT_MAX_BYTES - _ZIP64_LOCATOR_BYTES))
        tail = file.read()
    # Found as the library finds it, lest another end than this one be taken.
    end = len(tail) - _END_BYTES
    if end < 0 or not (tail[end:].startswith(_END) and tail.endswith(b"\0\0")):
        end = tail.rfind(_END)
    if end < 0:
        raise ArticleError(name, "is not a whole zip archive: write it again")
    directory_bytes = int.from_bytes(tail[end + 12 : end + 16], "little")
    above = tail[max(0, end - _ZIP64_LOCATOR_BYTES) : end]
    if above.startswith(_ZIP64_LOCATOR) or directory_bytes > budget.directory_bytes:
        raise ArticleError(name, "lists too many files: send them in several archives")

"""The ledger of a corpus: which file each article's id was given to, and the addresses that articles left.

`_addresses.jsonl` lies in the writable corpus (`indexer.corpus.tombstones`), one address a line:

    {"id": "burns", "file": "burns/index.md", "bytes": "5c1f...", "sections": ["a1b2c3d4", ...]}
    {"id": "scalds", "file": "scalds.md", "state": "moved", "moved_to": "burns"}

The last line of an id counts: a command appends what it promises, and a build writes the file anew, by id. So an id
that was published is never given to another article, whatever files come later, and every machine with the corpus
gives the same ids. Articles of collections state their ids and stand here only if several files claim one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

from kb.schema.article import Article
from kb.schema.errors import CorpusError
from kb.storage.addresses import FormerAddress
from kb.storage.durable import fsync, write_durably

FILE = "_addresses.jsonl"

State = Literal["live", "moved", "withdrawn", "gone"]

_STATES: Collection[str] = ("live", "moved", "withdrawn", "gone")
_HASH_DIGITS = 16
_SECTION_DIGITS = 8


class Spot(NamedTuple):
    """A file's place: the number of its corpus, and its POSIX path there."""

    corpus: int
    name: str


NO_SPOT = Spot(-1, "")


@dataclass(frozen=True, slots=True)
class Address:
    """What is known of one id.

    `spot` is the file that it was given to. `bytes` and `sections` are hashes of the file and of each section as they
    were last indexed, by which a renamed file is recognised. A `live` address is an article's; one that is `moved`
    leads to the id `moved_to`; one that is `withdrawn` says so, with the fields of
    `kb.storage.addresses.FormerAddress`; of one that is `gone` the file is not there any more.
    """

    id: str
    spot: Spot
    state: State = "live"
    bytes: str = ""
    sections: tuple[str, ...] = ()
    title: str = ""
    moved_to: str = ""
    withdrawn: str = ""
    because: str = ""
    see: str = ""

    @classmethod
    def of_article(cls, article: Article, spot: Spot, sha256: str) -> Address:
        """The live address of an article in a file of that content hash."""
        return cls(article.id, spot, bytes=bytes_hash(sha256), sections=section_hashes(article))

    @classmethod
    def of_former(cls, former: FormerAddress) -> Address:
        """What an index knows of an address that an article has left; its file is not known."""
        state: State = "moved" if former.moved_to else "withdrawn" if former.withdrawn else "gone"
        texts = {
            key: getattr(former, key)
            for key in ("title", "moved_to", "withdrawn", "because", "see")
        }
        return cls(former.id, NO_SPOT, state, **texts)

    def former(self) -> FormerAddress:
        """The same for those who ask for the id; for an address that is not live."""
        return FormerAddress(
            self.id, self.title, self.moved_to, self.withdrawn, self.because, self.see
        )


class Ledger:
    """The addresses by id, as they stand in the file."""

    def __init__(self, addresses: Iterable[Address] = (), *, is_there: bool = False) -> None:
        self.addresses: dict[str, Address] = {each.id: each for each in addresses}
        self.is_there = is_there
        """Whether there was a file."""

    @classmethod
    def read(cls, folder: Path | None, corpus: int | None) -> Ledger:
        """The ledger of the writable folder, which is corpus number `corpus`; empty if there is none.

        Raises CorpusError if it cannot be read: ids would be given anew.
        """
        if folder is None or corpus is None:
            return cls()
        path = folder / FILE
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise CorpusError(
                f"{path} cannot be read ({error.strerror or error}): without it, articles would get other addresses. "
                "Mend it."
            ) from error
        # A line without its end was cut off by a power cut, before anything was said of it.
        lines = content[: content.rfind(b"\n") + 1].splitlines()
        found = (_parsed(path, n, line, corpus) for n, line in enumerate(lines, 1) if line.strip())
        return cls(found, is_there=True)

    def to_bytes(self, corpus: int) -> bytes:
        """The file's content, by id. `corpus` is the number of the folder that it lies in."""
        return b"".join(_line(self.addresses[each], corpus) for each in sorted(self.addresses))


def append(folder: Path, corpus: int, addresses: Iterable[Address]) -> None:
    """Add addresses to the folder's ledger, durably. For whoever holds the folder (`kb.storage.durable.changing`)."""
    lines = b"".join(_line(each, corpus) for each in addresses)
    if not lines:
        return
    path = folder / FILE
    is_new = not path.exists()
    with path.open("xb" if is_new else "r+b") as file:
        if not is_new:
            _cut_off_line(file)
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        fsync(folder)


def _cut_off_line(file: BinaryIO) -> None:
    """Leave out what a power cut left of a last line, and stand at the end."""
    end = file.seek(0, os.SEEK_END)
    if end:
        file.seek(end - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def settle(
    folder: Path, corpus: int, read: Mapping[str, Address], updates: Mapping[str, Address | None]
) -> None:
    """Write the ledger anew with `updates`, where an update of None takes an address out.

    `read` is what the updates were made from: an address that somebody has changed since stays as they left it, for the
    next build to look at. Nothing is written where nothing changes. For whoever holds the folder.
    """
    now = Ledger.read(folder, corpus)
    for address_id, update in updates.items():
        if now.addresses.get(address_id) != read.get(address_id):
            continue
        if update is None:
            now.addresses.pop(address_id, None)
        else:
            now.addresses[address_id] = update
    content = now.to_bytes(corpus)
    path = folder / FILE
    if (content or now.is_there) and (not now.is_there or path.read_bytes() != content):
        write_durably(path, content)


def bytes_hash(sha256: str) -> str:
    """What stands in the ledger of a file's SHA-256."""
    return sha256[:_HASH_DIGITS]


def section_hashes(article: Article) -> tuple[str, ...]:
    """A hash of each section's heading and text."""
    return tuple(
        hashlib.sha256(f"{section.heading}\0{section.text}".encode()).hexdigest()[:_SECTION_DIGITS]
        for section in article.sections
    )


def reserved(address: Address) -> str:
    """Why no other article can have an address that an article has left."""
    return (
        f'the id "{address.id}" is an address that leads to "{address.moved_to}" now: give the article another id, or '
        f"free that one by `kb addresses --release {address.id}`"
    )


def withdrawn(
    address: Address, *, title: str, on: str, because: str = "", see: str = ""
) -> Address:
    """The address once its article was taken out."""
    return replace(
        address,
        state="withdrawn",
        title=title,
        moved_to="",
        withdrawn=on,
        because=because,
        see=see,
    )


def _line(address: Address, corpus: int) -> bytes:
    value: dict[str, Any] = {"id": address.id, "file": address.spot.name}
    if address.spot.corpus != corpus:
        value["corpus"] = address.spot.corpus
    if address.state != "live":
        value["state"] = address.state
    for key in ("title", "moved_to", "withdrawn", "because", "see", "bytes"):
        if getattr(address, key):
            value[key] = getattr(address, key)
    if address.sections:
        value["sections"] = list(address.sections)
    return json.dumps(value).encode("ascii") + b"\n"


def _parsed(path: Path, number: int, line: bytes, corpus: int) -> Address:
    try:
        value = json.loads(line)
        state = value.get("state", "live")
        if state not in _STATES:
            raise ValueError(state)
        texts = {
            key: _text(value.get(key, ""))
            for key in ("title", "moved_to", "withdrawn", "because", "see", "bytes")
        }
        spot = Spot(int(value.get("corpus", corpus)), _text(value["file"]))
        sections = tuple(_text(each) for each in value.get("sections", ()))
        return Address(_text(value["id"]), spot, state, sections=sections, **texts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(
            f"{path}:{number} is no address: mend the line, or fetch the file from a backup. "
            "Without it, articles would get other addresses."
        ) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value

"""API keys: a file of hashes, each with the scopes of its key.

A key is 256 random bits, shown once, when it is made. Only its SHA-256 is stored: 256 random bits need no slower hash.
A presented key is compared with every stored hash, each in constant time, so the time taken reveals nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from kb.schema.errors import InvalidRequest, KbError, NotFound
from kb.storage.durable import changing, make_folder, write_durably

FILE = "keys.json"
FOLDER = "keys"
"""The folder of the file in an index, unless a setting names another place."""

Scope = Literal["search", "articles", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

_FORMAT = 1
_PREFIX = "kb_"  # lets secret scanners find a leaked key
_RANDOM_BYTES = 32
_SHA256 = re.compile(r"[0-9a-f]{64}")
NAME_MAX_CHARS = 100


class KeysDamaged(KbError):
    """The file of keys cannot be read. Every key is refused until it can."""


@dataclass(frozen=True, slots=True)
class Key:
    """A stored key. `id` is not secret; `created` is ISO 8601 in UTC."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created: str
    sha256: str


def keys_file(index: Path) -> Path:
    """The default file of an index's keys."""
    return index / FOLDER / FILE


class KeyRing:
    """The keys of one file, which is read again whenever it was replaced. So a revoked key is refused at once.

    Safe to share between threads and processes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int, int], tuple[Key, ...]] | None = None

    def all(self) -> tuple[Key, ...]:
        """All keys, the oldest first. Empty if there is no file. Raises KeysDamaged."""
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise self._damaged(error.strerror or "it cannot be read") from error
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        read = self._read
        if read is None or read[0] != stamp:
            read = self._read = (stamp, self._load())
        return read[1]

    def find(self, presented: str) -> Key | None:
        """The key of a presented secret, or None. Raises KeysDamaged."""
        digest = _digest(presented)
        found = None
        for key in self.all():  # all of them, so the time taken does not reveal which
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def add(self, name: str, scopes: tuple[Scope, ...]) -> tuple[Key, str]:
        """Make a key. Returns it with its secret, which is not stored. Raises InvalidRequest, KeysDamaged."""
        if not name.strip() or len(name) > NAME_MAX_CHARS or not name.isprintable():
            raise InvalidRequest(
                "name", f"A key's name is 1 to {NAME_MAX_CHARS} printable characters, not {name!r}."
            )
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise InvalidRequest(
                "scopes", f"The scopes are {', '.join(SCOPES)}: name at least one."
            )
        presented = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        key = Key(
            id=secrets.token_hex(4),
            name=name.strip(),
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            sha256=_digest(presented),
        )
        self._change(lambda keys: (*keys, key))
        return key, presented

    def revoke(self, key_id: str) -> Key:
        """Remove a key for good. Raises NotFound, KeysDamaged."""
        revoked = next((key for key in self.all() if key.id == key_id), None)
        if revoked is None:
            raise NotFound(f"There is no key {key_id!r}. `kb keys list` lists the keys.")
        self._change(lambda keys: tuple(key for key in keys if key.id != key_id))
        return revoked

    def _change(self, change: Callable[[tuple[Key, ...]], tuple[Key, ...]]) -> None:
        make_folder(self.path.parent)
        with changing(self.path.parent):
            keys = [
                {"id": key.id, "name": key.name, "scopes": key.scopes}
                | {"created": key.created, "sha256": key.sha256}
                for key in change(self.all())
            ]
            content = json.dumps({"format": _FORMAT, "keys": keys}, indent=1) + "\n"
            write_durably(self.path, content.encode("ascii"), mode=0o600)

    def _load(self) -> tuple[Key, ...]:
        try:
            content = json.loads(self.path.read_bytes())
            if content["format"] != _FORMAT:
                raise ValueError("it has another format")
            return tuple(_key(entry) for entry in content["keys"])
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._damaged(error.strerror or "it cannot be read") from error
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged("it is damaged") from error

    def _damaged(self, reason: str) -> KeysDamaged:
        return KeysDamaged(
            f"{self.path}: {reason}. Repair it, or delete it and make new keys with `kb keys add`."
        )


def _key(entry: dict[str, Any]) -> Key:
    key = Key(
        id=str(entry["id"]),
        name=str(entry["name"]),
        scopes=tuple(entry["scopes"]),
        created=str(entry["created"]),
        sha256=str(entry["sha256"]),
    )
    if not _SHA256.fullmatch(key.sha256) or not set(key.scopes) <= set(SCOPES):
        raise ValueError("an entry is not a key")
    return key


def _digest(presented: str) -> str:
    return hashlib.sha256(presented.encode(errors="surrogatepass")).hexdigest()

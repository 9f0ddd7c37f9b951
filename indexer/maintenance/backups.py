"""The backups that were made of an index: noted when they are written, asked when an article must be nowhere.

`backups.json` in the index folder lists them. It says where they were written to, not where they were taken since.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kb.storage.durable import write_durably
from kb.storage.sources import FILE as SOURCES

FILE = "backups.json"


@dataclass(frozen=True, slots=True)
class NotedBackup:
    """A backup as it was noted: its absolute path, when it was written (ISO 8601, UTC), whether it is there still."""

    path: Path
    written: str
    is_there: bool


def note_backup(index: Path, target: Path) -> None:
    """Note that a backup was written to `target`, in place of an older one there. Raises OSError."""
    path = str(target.resolve())
    noted = [each for each in _noted(index) if each["path"] != path]
    noted.append({"path": path, "written": datetime.now(UTC).isoformat(timespec="seconds")})
    write_durably(index / FILE, json.dumps(noted, indent=1).encode("ascii") + b"\n")


def backups_that_hold(index: Path, ids: Collection[str]) -> list[NotedBackup]:
    """Those of the noted backups that hold one of these articles, or are not where they were written to."""
    found = []
    for each in _noted(index):
        path = Path(each["path"])
        if not path.exists():
            found.append(NotedBackup(path, each["written"], is_there=False))
        elif _holds(path, ids):
            found.append(NotedBackup(path, each["written"], is_there=True))
    return found


def _noted(index: Path) -> list[dict[str, str]]:
    with suppress(OSError, ValueError):
        noted: list[dict[str, str]] = json.loads((index / FILE).read_bytes())
        return noted
    return []


def _holds(path: Path, ids: Collection[str]) -> bool:
    """Whether it may hold one of them: where it cannot be read, nobody knows."""
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                if member.name.startswith("generation/") and member.name.endswith(f"/{SOURCES}"):
                    content = archive.extractfile(member)
                    assert content is not None
                    sources = json.load(content)
                    held = {entry[0] for file in sources["files"] for entry in file["articles"]}
                    return not held.isdisjoint(ids) or not sources["articles"].keys().isdisjoint(
                        ids
                    )
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError, IndexError):
        pass
    return True

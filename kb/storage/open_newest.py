"""Opens a generation to serve: the live one, or otherwise the newest that verifies.

    index/removed.json    articles that were published and later removed from the corpus

An older generation may contain an article that was removed later. The ids of such articles come with it. Nothing that
answers from it may show them: a removed article stays removed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from kb.schema.errors import IndexDamaged, IndexMissing, IndexUnusable
from kb.storage.generation import (
    Lease,
    Verify,
    current_generation,
    generations,
    open_by_id,
    open_generation,
)
from kb.storage.manifest import Manifest

REMOVED_FILE = "removed.json"


@dataclass(frozen=True, slots=True)
class OpenGeneration:
    """An open generation.

    If it is not the live one, `damage` says why, and `removed` has the ids of articles that must not be shown.
    """

    folder: Path
    manifest: Manifest
    lease: Lease
    damage: IndexUnusable | None = None
    removed: frozenset[str] = frozenset()


def open_newest(index: Path, verify: Verify = "quick") -> OpenGeneration:
    """Open the live generation, or the newest other one if the live one does not verify.

    Raises the live generation's error if no other verifies: IndexMissing, IndexFormatMismatch or IndexDamaged.
    """
    try:
        return OpenGeneration(*open_generation(index, verify))
    except IndexMissing as error:
        if not generations(index):
            raise
        damage: IndexUnusable = IndexDamaged(f"{index / 'CURRENT'}: is missing. Run `kb build`.")
        damage.__cause__ = error
    except IndexUnusable as error:
        damage = error
    try:
        live = current_generation(index)
    except IndexUnusable:
        live = ""
    for generation_id in generations(index):
        if generation_id == live:
            continue
        try:
            folder, manifest, lease = open_by_id(index, generation_id, verify)
        except IndexUnusable:
            continue
        try:
            return OpenGeneration(folder, manifest, lease, damage, removed_articles(index))
        except BaseException:
            lease.release()
            raise
    raise damage


def removed_articles(index: Path) -> frozenset[str]:
    """The ids of the articles that were published and later removed from the corpus. Raises IndexDamaged."""
    path = index / REMOVED_FILE
    try:
        content = json.loads(path.read_bytes())
        ids = [str(article_id) for article_id in content["articles"]]
        if content["sha256"] != _sha256(ids):
            raise ValueError("another hash")
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(f"{path}: cannot be read ({error}). Run `kb build`.") from error
    return frozenset(ids)


def removed_to_bytes(ids: frozenset[str]) -> bytes:
    """The content of the file that `removed_articles` reads."""
    listed = sorted(ids)
    return json.dumps({"articles": listed, "sha256": _sha256(listed)}, indent=1).encode("ascii")


# tuning.json has its own SHA-256 too, but over canonical JSON. Files with either formula exist, so each keeps its
# formula. A helper for both would only share the comparison.
def _sha256(ids: list[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()

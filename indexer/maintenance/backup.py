"""A backup: the live generation of an index and its corpora in one tar file. The index notes where it was written."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from indexer.corpus.files import RECORD_FILES, list_files, list_lexicons
from indexer.generations.disk_space import generation_bytes
from indexer.maintenance.backup_file import (
    CORPORA_FOLDER,
    HASHES_FILE,
    INDEX_FILES,
    IndexRecords,
    add,
    add_bytes,
    add_verified,
)
from indexer.maintenance.backups import note_backup
from kb.schema.errors import CorpusError, KbError
from kb.storage.disk_errors import check_room, telling
from kb.storage.durable import writing_durably
from kb.storage.generation import open_generation
from kb.storage.manifest import FILE as MANIFEST


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `missing` are the corpora that could not be read and are not in it.

    `noted` is False if the index could not be written: it will not name this backup when an article is purged.
    """

    generation: str
    corpus_files: int
    bytes: int
    missing: tuple[str, ...]
    noted: bool


def back_up(index: Path, target: Path) -> Backup:
    """Write the live generation and its corpora to `target`, whole or not at all, and on disk once this returns.

    Raises the kinds of IndexUnusable if the live generation does not verify, TuningDamaged, NoRoom if there is
    not enough for it, and OSError.
    """
    IndexRecords.load(index)  # nothing damaged goes into a backup
    folder, manifest, lease = open_generation(index, "full")
    missing: list[str] = []
    hashes: dict[str, str] = {}
    needed = generation_bytes(manifest)  # the corpora are a hundredth of that
    try:
        _check_folder(target)
        check_room(target.parent, needed)
        with (
            telling(target, needed),
            writing_durably(target) as stream,
            tarfile.open(fileobj=stream, mode="w") as archive,
        ):
            inside = f"generation/{folder.name}"
            archive.add(folder / MANIFEST, f"{inside}/{MANIFEST}", recursive=False)
            for name, info in manifest.files.items():
                add_verified(archive, folder / name, f"{inside}/{name}", info.sha256)
            for name in INDEX_FILES:
                if (index / name).exists():
                    archive.add(index / name, f"beside/{name}", recursive=False)
            for number, corpus in enumerate(manifest.corpora):
                try:
                    files = _corpus_files(Path(corpus.path))
                except CorpusError:
                    missing.append(corpus.path)
                    continue
                for name, path in files:
                    inside = f"{CORPORA_FOLDER}/{number}/{name}"
                    hashes[inside] = add(archive, path.resolve(), inside)
            add_bytes(archive, HASHES_FILE, json.dumps(hashes, indent=1).encode("ascii"))
    finally:
        lease.release()
    try:
        note_backup(index, target)
    except OSError:
        noted = False
    else:
        noted = True
    return Backup(folder.name, len(hashes), target.stat().st_size, tuple(missing), noted)


def _corpus_files(corpus: Path) -> list[tuple[str, Path]]:
    found = [*list_files([corpus])[0], *list_lexicons([corpus])[0]]
    files = [(file.name, file.path) for file in found]
    files += [(name, corpus / name) for name in RECORD_FILES if (corpus / name).is_file()]
    return files


def _check_folder(target: Path) -> None:
    if not target.parent.is_dir():
        raise KbError(
            f"{target}: there is no folder {target.parent}: make it, or name another place for the backup."
        )

"""The generation that a build starts from, verified in full so that no damage is copied."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from indexer.corpus.files import content_hash
from indexer.embedding.model_folder import model_folder
from kb.retrieval.phrases import DOCUMENTS
from kb.schema.errors import IndexUnusable, KbError
from kb.storage.addresses import FILE as ADDRESSES
from kb.storage.disk_errors import storage_error
from kb.storage.generation import Lease, check_hashes, current_generation, generations, open_by_id
from kb.storage.manifest import PIPELINE_VERSION, Manifest, Precision
from kb.storage.sources import FILE as SOURCES
from kb.storage.sources import Sources
from kb.text.bm25f import BM25FParameters


@dataclass(frozen=True, slots=True)
class Base:
    """A generation, held open. `is_live` says whether it is the one that CURRENT names.

    The encoder and Whoosh's segments, which are taken over as they are, are verified as they are copied; everything
    else beside what is done meanwhile, so that nothing but `manifest` and `sources` may be used before `verified`.
    """

    folder: Path
    manifest: Manifest
    sources: Sources
    lease: Lease
    is_live: bool
    verification: Future[None]

    def verified(self) -> None:
        """Wait until it is known to be whole. Raises IndexDamaged."""
        self.verification.result()

    def copy(self, name: str, target: Path, *leave_out: str) -> None:
        """Copy a folder of the generation, verified in the copy. Raises IndexDamaged, KbError if the disk fails."""
        source = self.folder / name
        try:
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*leave_out))
        except shutil.Error as error:  # a list of all files that failed, mostly for one reason
            _, _, reason = error.args[0][0]
            told = storage_error(error, target)
            raise told or KbError(f"{target}: cannot be written ({reason}).") from error
        copied = sorted(path for path in target.rglob("*") if path.is_file())
        check_hashes(
            target,
            {
                path.relative_to(target).as_posix(): self.manifest.files[
                    f"{name}/{path.relative_to(target).as_posix()}"
                ]
                for path in copied
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        wait([self.verification])
        self.lease.release()


def open_base(
    index: Path, fits: Callable[[Manifest, Sources], bool], without: Collection[str] = ()
) -> Base | None:
    """The live generation, or else the newest, that `fits`; None if there is none.

    Those whose ids are in `without`, and those whose damage is seen at once, are passed over. Whether the one that is
    returned is whole, `verified` says.
    """
    try:
        live = current_generation(index)
    except IndexUnusable:
        live = ""
    names = generations(index)
    for name in sorted(names, key=lambda name: name != live):
        if name in without:
            continue
        try:
            base = _open(index, name, is_live=name == live)
        except IndexUnusable:
            continue
        if fits(base.manifest, base.sources):
            return base
        with base:
            pass
    return None


def open_one(index: Path, generation_id: str, *, is_live: bool) -> Base:
    """That generation, verified. Raises IndexDamaged or IndexFormatMismatch."""
    base = _open(index, generation_id, is_live=is_live)
    try:
        base.verified()
    except BaseException:
        base.lease.release()
        raise
    return base


def _open(index: Path, generation_id: str, *, is_live: bool) -> Base:
    folder, manifest, lease = open_by_id(
        index, generation_id, "full", lambda name: name not in (SOURCES, ADDRESSES)
    )
    try:
        sources = Sources.load(folder)
    except BaseException:
        lease.release()
        raise
    files = {name: info for name, info in manifest.files.items() if not _is_copied(name)}
    pool = ThreadPoolExecutor(1)
    verification = pool.submit(check_hashes, folder, files)
    pool.shutdown(wait=False)
    return Base(folder, manifest, sources, lease, is_live, verification)


def _is_copied(name: str) -> bool:
    return name.startswith("encoder/") or (
        name.startswith("keyword/") and not name.endswith(DOCUMENTS)
    )


def fits_model(
    model_name: str, files: str, precision: Precision
) -> Callable[[Manifest, Sources], bool]:
    """Whether a generation is of this program's pipeline and of that model, so that it can be built upon.

    `files` are the model's `model_files`; where there are none, the name alone tells: the index has its own encoder.
    """

    def fits(manifest: Manifest, sources: Sources) -> bool:
        return (
            manifest.pipeline_version == PIPELINE_VERSION
            and manifest.bm25f == BM25FParameters()
            and manifest.model.name == model_name
            and manifest.model.precision == precision
            and (not files or sources.model_files == files)
        )

    return fits


def model_files(model_name: str) -> str:
    """A hash of the files of the model's folder; "" if the model has none here, as one of the hub."""
    folder = Path(model_folder(model_name))
    if not folder.is_dir():
        return ""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content_hash(path)}\n".encode())
    return digest.hexdigest()

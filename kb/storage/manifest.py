"""The manifest of a generation: its content, what it was made by, and the length and SHA-256 of each file."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from kb.schema.errors import IndexDamaged, IndexFormatMismatch
from kb.text.bm25f import BM25FParameters

FORMAT_VERSION = 7
"""Version of the file format. Raise it if an older reader cannot read, or would misread, the new files."""

PIPELINE_VERSION = 9
"""Version of the pipeline. Raise it if the same corpus would now give other passages, terms or vectors."""

FILE = "manifest.json"


Precision = Literal["fp32", "bf16"]
"""Number format in which passages are embedded: float32, or bfloat16 for many passages."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def format_version(folder: Path) -> int | None:
    """The format version of the generation in `folder`, which any version may have written. None if unknown."""
    try:
        version = json.loads((folder / FILE).read_bytes())["format_version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, int) else None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The embedding model: the requested name, the SHA-256 of its weights and settings, its dimensions and window."""

    name: str
    sha256: str
    dimensions: int
    max_tokens: int
    precision: Precision = "fp32"


@dataclass(frozen=True, slots=True)
class CorpusInfo:
    """One corpus as it was read: its absolute path and the fingerprint of its content."""

    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The size of a generation."""

    articles: int
    sections: int
    passages: int
    terms: int


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file's length in bytes and the SHA-256 of its content."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` says. `created` is ISO 8601 in UTC; `files` is keyed by relative POSIX path.

    `failures` are the messages for articles and files that could not be read.
    """

    created: str
    model: ModelInfo
    bm25f: BM25FParameters
    corpora: tuple[CorpusInfo, ...]
    counts: Counts
    failures: tuple[str, ...]
    files: dict[str, FileInfo]
    format_version: int = FORMAT_VERSION
    pipeline_version: int = PIPELINE_VERSION

    def to_bytes(self) -> bytes:
        """The canonical JSON: the same bytes for the same content. ASCII, because a path need not be UTF-8."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode("ascii")

    @property
    def generation_id(self) -> str:
        """The time of the build and the start of the manifest's SHA-256. So the name verifies the manifest.

        Ids sort by time.
        """
        stamp = re.sub(r"[-:.]", "", self.created.partition("+")[0])
        return f"{stamp}Z-{hashlib.sha256(self.to_bytes()).hexdigest()[:16]}"

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read and check the manifest of the generation in `folder`.

        Raises IndexFormatMismatch for another format version, and IndexDamaged for any other fault.
        """
        path = folder / FILE
        try:
            content = json.loads(path.read_bytes())
            version = content["format_version"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(
                f"{path}: the manifest cannot be read ({type(error).__name__}). Run `kb build` to rebuild the index."
            ) from error
        if version != FORMAT_VERSION:
            is_newer = isinstance(version, int) and version > FORMAT_VERSION
            remedy = "Use the newer program that wrote it, or run" if is_newer else "Run"
            raise IndexFormatMismatch(
                f"{folder}: the index has format version {version}, this program reads version {FORMAT_VERSION}. "
                f"{remedy} `kb build` to rebuild the index."
            )
        try:
            manifest = cls.parse(content)
            generation_id = manifest.generation_id
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise IndexDamaged(
                f"{path}: the manifest is incomplete ({error}). Run `kb build` to rebuild the index."
            ) from error
        if generation_id != folder.name:
            raise IndexDamaged(
                f"{path}: the manifest has changed since it was written. Run `kb build` to rebuild the index."
            )
        return manifest

    @classmethod
    def parse(cls, content: dict[str, Any]) -> Manifest:
        """The manifest of that JSON. Raises KeyError, TypeError, ValueError or AttributeError where it is none."""
        bm25f = content["bm25f"]
        return cls(
            created=content["created"],
            model=ModelInfo(**content["model"]),
            bm25f=BM25FParameters(bm25f["k1"], tuple(bm25f["weights"]), tuple(bm25f["b"])),
            corpora=tuple(CorpusInfo(**corpus) for corpus in content["corpora"]),
            counts=Counts(**content["counts"]),
            failures=tuple(content["failures"]),
            files={name: FileInfo(**info) for name, info in content["files"].items()},
            format_version=content["format_version"],
            pipeline_version=content["pipeline_version"],
        )

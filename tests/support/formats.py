"""The small indexes that tests/formats keeps, unpacked where a test can use them; and a program of the next format."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kb.storage import manifest
from kb.storage.manifest import Manifest
from support.places import ROOT

FORMATS = ROOT / "tests" / "formats"


@dataclass(frozen=True)
class Kept:
    """An unpacked index with what it was made from. `answers` is what it answered, by question."""

    root: Path
    answers: dict[str, dict[str, Any]]

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def corpus(self) -> Path:
        return self.root / "corpus"

    def live(self) -> str:
        return (self.index / "CURRENT").read_text().strip()

    def older(self) -> str:
        (name,) = {path.name for path in (self.index / "generations").iterdir()} - {self.live()}
        return name


def unpacked(version: int, root: Path) -> Kept:
    """The index of that format, its paths made those in `root`, and its generations named anew for that."""
    with tarfile.open(FORMATS / f"format-{version}.tar.xz") as archive:
        archive.extractall(root, filter="data")
    index = root / "index"
    shutil.rmtree(index / "cache" / "verified")
    live = (index / "CURRENT").read_text().strip()
    for folder in sorted((index / "generations").iterdir()):
        content = json.loads((folder / "manifest.json").read_bytes())
        made_in = str(Path(content["model"]["name"]).parent)
        text = json.dumps(content, indent=1, sort_keys=True).replace(made_in, str(root)) + "\n"
        (folder / "manifest.json").write_text(text)
        made = re.sub(r"[-:.]", "", content["created"].partition("+")[0])
        name = f"{made}Z-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        if folder.name == live:
            (index / "CURRENT").write_text(f"{name}\n")
        folder.rename(folder.with_name(name))
    return Kept(root, json.loads((root / "answers.json").read_text()))


@contextmanager
def next_format() -> Iterator[None]:
    """This process is a program that writes the format after this one, and reads no other."""
    with pytest.MonkeyPatch.context() as patched:
        version = manifest.FORMAT_VERSION + 1
        for module in ("kb.storage.manifest", "indexer.generations.published"):
            patched.setattr(f"{module}.FORMAT_VERSION", version)
        # What a manifest is made with was settled when its class was.
        defaults = (version, manifest.PIPELINE_VERSION)
        patched.setattr(Manifest.__init__, "__defaults__", defaults)
        yield


def signed_again(index: Path) -> Path:
    """Make the live generation's manifest vouch for its files as they are now; its folder, which has a new name."""
    folder = index / "generations" / (index / "CURRENT").read_text().strip()
    content = json.loads((folder / "manifest.json").read_bytes())
    content["files"] = {
        path.relative_to(folder).as_posix(): _info(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", "lease")
    }
    signed = Manifest.parse(content)
    (folder / "manifest.json").write_bytes(signed.to_bytes())
    (index / "CURRENT").write_text(f"{signed.generation_id}\n")
    return folder.rename(folder.with_name(signed.generation_id))


def _info(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

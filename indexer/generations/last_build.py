"""The corpora, model and precision of an index's last build.

It need not open, nor be of this format.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from indexer.embedding.model_folder import DEFAULT_MODEL
from kb.schema.errors import IndexUnusable
from kb.storage.generation import current_generation, generation_path, generations
from kb.storage.manifest import FILE as MANIFEST
from kb.storage.manifest import PRECISIONS, Precision

DEFAULT_CORPUS = Path("corpus")


@dataclass(frozen=True, slots=True)
class LastBuild:
    """The corpora, in order, the model's name, and in which numbers it embeds."""

    corpora: tuple[Path, ...]
    model: str
    precision: Precision = "fp32"


def last_build(index: Path) -> LastBuild:
    """What the live generation's manifest says, or the newest's that can be read, or else the defaults."""
    try:
        names = [current_generation(index)]
    except IndexUnusable:
        names = []
    for name in [*names, *generations(index)]:
        try:
            content = json.loads((generation_path(index, name) / MANIFEST).read_bytes())
            corpora = tuple(Path(corpus["path"]) for corpus in content["corpora"])
            model = str(content["model"]["name"])
            precision = next(
                known for known in PRECISIONS if known == content["model"]["precision"]
            )
        except (OSError, ValueError, KeyError, TypeError, StopIteration):
            continue
        if corpora:
            return LastBuild(corpora, model, precision)
    return LastBuild((DEFAULT_CORPUS,), DEFAULT_MODEL)

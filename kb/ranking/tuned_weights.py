"""Weights that were fitted to a library's own questions, stored beside its index.

The file `tuning.json` lies beside the generations, so a rebuild keeps it, and it is read when a generation is opened.
Fitted weights hold only for generations of the same model and pipeline version, since another model's cosines are other
signals. The file holds no question.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from kb.ranking.fusion import FusionWeights
from kb.schema.errors import TuningDamaged
from kb.storage.durable import fsync, write_durably
from kb.storage.manifest import Manifest

FILE = "tuning.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Gain:
    """A measure's mean with the shipped weights, and with weights fitted to other questions than the one asked.

    `low` and `high` bound the difference of the two at 95 %.
    """

    shipped: float
    tuned: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """The mean difference, above 0 where the fitted weights do better."""
        return self.tuned - self.shipped


@dataclass(frozen=True, slots=True)
class Tuning:
    """Fitted weights, and what they were fitted on: when (ISO 8601 in UTC), how many judged topics of which unit,
    the model (ModelInfo.sha256) and pipeline version of the index. `gains` is by measure."""

    weights: FusionWeights
    created: str
    topics: int
    unit: str
    gains: dict[str, Gain]
    model_sha256: str
    pipeline_version: int

    def mismatch(self, manifest: Manifest) -> str | None:
        """Why the weights do not hold for a generation; None where they do."""
        if self.model_sha256 != manifest.model.sha256:
            return f"they were fitted with another model than the index's, {manifest.model.name}"
        if self.pipeline_version != manifest.pipeline_version:
            return (
                f"they were fitted to pipeline version {self.pipeline_version}, "
                f"the index is of version {manifest.pipeline_version}"
            )
        return None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)

    def to_bytes(self) -> bytes:
        """The content of the file: canonical JSON that ends in the SHA-256 of all the rest."""
        content = {"format_version": FORMAT_VERSION, **self.to_dict()}
        content["sha256"] = _digest(content)
        return (json.dumps(content, indent=1) + "\n").encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> Tuning:
        """Read what `to_bytes` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        content = json.loads(data)
        if content.pop("sha256") != _digest(content):
            raise ValueError("not what was written")
        if (version := content.pop("format_version")) != FORMAT_VERSION:
            raise ValueError(f"format version {version}, this program reads {FORMAT_VERSION}")
        # Earlier programs knew no `wording`; what they fitted is of another pipeline version, and so not used.
        weights = FusionWeights(**content.pop("weights"))
        gains = {name: Gain(**gain) for name, gain in content.pop("gains").items()}
        values = astuple(weights)
        if not (all(0 <= value <= 1 for value in values) and sum(values) <= 1 + 1e-9):
            raise ValueError("not weights of 0 to 1 that add up to 1 at most")
        return cls(weights=weights, gains=gains, **content)


def load(index: Path) -> Tuning | None:
    """The stored tuning of the index, whatever generation it holds for; None where there is none.

    Raises TuningDamaged.
    """
    path = index / FILE
    try:
        return Tuning.from_bytes(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TuningDamaged(
            f"{path}: the stored weights cannot be read ({reason}). "
            f"Run `kb tune --reset --index {index}` to go back to the shipped ones."
        ) from error


def store(index: Path, tuning: Tuning) -> None:
    """Store a tuning in the place of any other. After a power cut there is the one or the other, whole."""
    write_durably(index / FILE, tuning.to_bytes())


def remove(index: Path) -> bool:
    """Forget the stored tuning, whole or damaged; whether there was one."""
    try:
        (index / FILE).unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    fsync(index)
    return True


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()

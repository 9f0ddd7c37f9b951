"""A trained line between questions that describe an emergency and all others, for those that no trigger catches.

It is a logistic regression on the question's own vector, so it holds for the embedding model alone with which it was
trained. `training/notices.py` fits it; `training/notices/README.md` has its data, figures and limits.

`notice_line.json` is `{"model", "model_sha256", "threshold", "bias", "weights"}`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("notice_line.json")
"""The line of the default model."""


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A fitted line. `threshold` is in log-odds, as `score` is. Read-only and safe to share between threads."""

    model: str
    model_sha256: str
    threshold: float
    bias: float
    weights: tuple[float, ...]

    def save(self, path: Path) -> None:
        """Write as JSON, the same bytes for the same line."""
        path.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, model_sha256: str, path: Path = FILE) -> NoticeLine | None:
        """The line, or None where it was trained with another model than the one of this SHA-256."""
        entries = json.loads(path.read_bytes())
        line = cls(**entries | {"weights": tuple(entries["weights"])})
        return line if line.model_sha256 == model_sha256 else None

    def score(self, vector: NDArray[np.float32]) -> float:
        """Log-odds that a question with this unit vector, (dimensions,), describes an emergency."""
        return float(vector @ np.asarray(self.weights, dtype=np.float32)) + self.bias

    def crossed(self, vector: NDArray[np.float32]) -> bool:
        """Whether the question's score is above the threshold."""
        return self.score(vector) > self.threshold

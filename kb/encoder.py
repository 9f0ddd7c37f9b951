"""Given a text, its vector, by the encoder that travels with the index. Imports no torch.

The folder `encoder/` of a generation holds `model.onnx` (token ids and mask in, one vector out; pooling and
normalisation inside), `tokenizer.json` (neither padding nor truncating) and `encoder.json`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """`max_tokens` is the model's window, special tokens included. The prompts are put before the text."""

    dimensions: int
    max_tokens: int
    query_prompt: str = ""
    passage_prompt: str = ""

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> EncoderSettings:
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


class Encoder:
    """A text encoder. Safe to share between threads."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """`threads` work together on a text; 0 takes as many as there are cores."""
        self.settings = EncoderSettings.load(folder / "encoder.json")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.settings.max_tokens)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only: the library's warnings are not the user's
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {given.name for given in self._session.get_inputs()}

    def encode_question(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a question, float32 (dimensions,). Text beyond the window is not seen."""
        return self._encode(self.settings.query_prompt + text)

    def encode_passage(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a text as the index embeds it, float32 (dimensions,)."""
        return self._encode(self.settings.passage_prompt + text)

    def _encode(self, text: str) -> NDArray[np.float32]:
        encoding = self._tokenizer.encode(text)
        feed: dict[str, Any] = {
            "input_ids": np.array([encoding.ids], dtype=np.int64),
            "attention_mask": np.array([encoding.attention_mask], dtype=np.int64),
        }
        vector = self._session.run(
            None, {name: value for name, value in feed.items() if name in self._inputs}
        )[0][0]
        return np.asarray(vector, dtype=np.float32)

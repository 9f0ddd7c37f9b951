"""Given a text, its vector, by the encoder that travels with the index. Imports no torch.

The folder `encoder/` of a generation holds `model.onnx` (token ids and mask in, one vector out; pooling and
normalisation inside), `tokenizer.json` (neither padding nor truncating), `encoder.json`, and `question.onnx`: the same
model with weights of 8 bits, each 128 of them with a scale, and activations rounded likewise. A question is encoded by
that in half the time, to a cosine of some 0.999 (rarely 0.99); passages, which are encoded once, in float32. A model
that loses more by it has no `question.onnx`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

FOR_PASSAGES, FOR_QUESTIONS = "model.onnx", "question.onnx"


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

    def __init__(self, folder: Path, model: str = FOR_QUESTIONS) -> None:
        """`model` is FOR_QUESTIONS or FOR_PASSAGES.

        A call is one thread's work: several calls at once then use several cores, and none waits for another.
        """
        self.settings = EncoderSettings.load(folder / "encoder.json")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.settings.max_tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors only: the library's warnings are not the user's
        path = folder / model
        self._session = onnxruntime.InferenceSession(
            str(path if path.exists() else folder / FOR_PASSAGES),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._inputs = {given.name for given in self._session.get_inputs()}

    def encode_question(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a question, float32 (dimensions,). Text beyond the window is not seen."""
        vector: NDArray[np.float32] = self._encode([self.settings.query_prompt + text])[0]
        return vector

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The unit vectors of texts as the index embeds them, float32 (len(texts), dimensions).

        All are padded to the longest, so a batch is best of one length.
        """
        return self._encode([self.settings.passage_prompt + text for text in texts])

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
            mask[place, : len(row)] = 1
        feed = {"input_ids": ids, "attention_mask": mask}
        vectors = self._session.run(
            None, {name: value for name, value in feed.items() if name in self._inputs}
        )[0]
        return np.asarray(vectors, dtype=np.float32)

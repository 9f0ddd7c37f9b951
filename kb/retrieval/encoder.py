"""The text encoder that travels with an index: a text becomes a vector. Imports no torch.

The folder `encoder/` of a generation holds `model.onnx` (token ids and mask in, one vector out; pooling and
normalisation inside), `tokenizer.json` (neither padding nor truncating), `encoder.json`, and `question.onnx`: the same
model in fewer steps, with weights of 8 bits, each 128 of them with a scale, and activations rounded likewise. A
question is encoded by that in half the time, to a cosine of some 0.999 (rarely 0.99); passages, which are encoded once,
in float32. A model that loses more by it has no `question.onnx`.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

_FATAL = 4
onnxruntime.set_default_logger_severity(_FATAL)
"""Of the runtime's severities. It writes to stderr past every log; what goes wrong is raised as well."""

FOR_PASSAGES, FOR_QUESTIONS = "model.onnx", "question.onnx"

_SLOW_FUSIONS = ["SkipLayerNormFusion"]
"""Of the runtime's: adding and normalising in one step takes twice as long as in two."""


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


class Tokens:
    """An encoder's tokenizer: texts as its model takes them. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the encoder's."""
        self.settings = EncoderSettings.load(folder / "encoder.json")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.settings.max_tokens)

    def batch(self, texts: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """`input_ids` and `attention_mask`, both (len(texts), tokens of the longest), cut at the window."""
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
            mask[place, : len(row)] = 1
        return {"input_ids": ids, "attention_mask": mask}


def open_session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    """The model, loaded; a call uses this number of threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads wait for each other by spinning, a microsecond instead of fifty, but only while a call runs: then they
    # are to sleep, and leave the core to what else there is to do.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = _FATAL
    return onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOW_FUSIONS
    )


class Encoder:
    """A text encoder. Safe to share between threads."""

    def __init__(self, folder: Path, model: str = FOR_QUESTIONS) -> None:
        """`model` is FOR_QUESTIONS or FOR_PASSAGES.

        Passages are encoded by one thread a call: calls at once then use several cores, and none waits for another. So
        are questions while there are several; one alone gets all cores.
        """
        self._tokens = Tokens(folder)
        self.settings = self._tokens.settings
        path = folder / model
        self._model = path if path.exists() else folder / FOR_PASSAGES
        cores = len(os.sched_getaffinity(0)) if model == FOR_QUESTIONS else 1
        self._for_one = open_session(self._model, cores)
        self._for_many = self._for_one if cores == 1 else None
        self._inputs = {given.name for given in self._for_one.get_inputs()}
        self._loading = threading.Lock()
        self._running = 0
        self._counting = threading.Lock()

    def warm_up(self) -> None:
        """Load now what is otherwise loaded when two questions first come at once."""
        self._loaded_for_many()

    def _loaded_for_many(self) -> onnxruntime.InferenceSession:
        with self._loading:
            if self._for_many is None:
                self._for_many = open_session(self._model, 1)
            return self._for_many

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
        feed = self._tokens.batch(texts)
        with self._one_more() as session:
            found = session.run(
                None, {name: value for name, value in feed.items() if name in self._inputs}
            )
        return np.asarray(found[0], dtype=np.float32)

    @contextmanager
    def _one_more(self) -> Iterator[onnxruntime.InferenceSession]:
        """The session for one more call: with all cores where it is the only one."""
        with self._counting:
            self._running += 1
            alone = self._running == 1
        try:
            yield self._for_one if alone else self._loaded_for_many()
        finally:
            with self._counting:
                self._running -= 1

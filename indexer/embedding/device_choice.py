"""The choice of encoder and device for a number of texts.

A few are embedded by the index's own encoder, without torch. Many go to a GPU where torch sees one that gives the same
vectors, and else to the processor: by the same encoder, or in bfloat16 by torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.batches import Embed
from indexer.embedding.index_encoder import IndexEncoder
from indexer.embedding.torch_encoder import CPU_DEVICE, TorchEncoder, find_accelerator, unusable_gpu
from indexer.passages.executor import LocalExecutor
from kb.storage.manifest import Precision

AUTO_DEVICE = "auto"
"""The device's name that stands for a GPU where there is one."""

MIN_TORCH_TOKENS = 32_768
"""Number of tokens, some 200 passages, that are embedded in the time that importing torch and loading a model take."""

MAX_VECTOR_DISTANCE = {"fp32": 1e-3, "bf16": 0.1}
"""How far a device's vector may be from the encoder's own, by Euclidean length: no cosine differs by more.

In float32 both differ by rounding alone, some 1e-6. In bfloat16 it is a cosine of 0.995, where 0.998 is the rule.
"""

PROBE_TEXTS = (
    "Gums",
    "Why do my legs jerk when I fall asleep?",
    "Lack of iron makes restless legs worse. A blood test shows it; tablets, taken for three months, often help. "
    * 3,
    "Brush twice a day, along the gums, with a soft brush and little pressure. See a dentist when they bleed. "
    * 40,
)
"""Texts of a word, a sentence, a passage, and more than a window."""

Say = Callable[[str], None]


class DeviceChooser:
    """Chooses what embeds the texts of a build, once for all that are many. Nothing is loaded before it is needed."""

    def __init__(
        self, folder: Path, model_name: str, precision: Precision, device: str, say: Say
    ) -> None:
        """`folder` has the index's own encoder. `device` is AUTO_DEVICE or torch's name. `say` reports the choice."""
        self._folder = folder
        self._model_name = model_name
        self._precision: Precision = precision
        self._device = device
        self._say = say
        self._own = IndexEncoder(folder)
        self._for_many: Embed | None = None

    def __call__(self, tokens: int) -> Embed:
        """What embeds texts of so many tokens."""
        if self._for_many is None and tokens > MIN_TORCH_TOKENS:
            device = self._find() if self._device == AUTO_DEVICE else self._device
            on_device = None if device == CPU_DEVICE else self._on(device)
            self._for_many = on_device or self._on_processor()
        return self._for_many or self._own

    def _find(self) -> str:
        """The device that is best in this machine."""
        device = find_accelerator()
        if device is not None:
            return device
        unusable = unusable_gpu()
        if unusable is not None:
            self._say(_instead(str(unusable), "is there, but torch sees no GPU"))
        return CPU_DEVICE

    def _on_processor(self) -> Embed:
        if self._precision == "bf16":
            return TorchEncoder(self._model_name, self._folder, CPU_DEVICE, "bf16")
        return self._own

    def _on(self, device: str) -> Embed | None:
        """What embeds there, or None if it cannot be used or embeds otherwise than the index's own encoder."""
        try:
            encoder = TorchEncoder(self._model_name, self._folder, device, self._precision)
            distance = _distance(encoder, self._own)
        except Exception as error:  # a driver's, say, which the processor needs not
            self._say(_instead(device, f"cannot be used: {_first_line(error)}"))
            return None
        allowed = MAX_VECTOR_DISTANCE[self._precision]
        if not distance <= allowed:  # which a distance of NaN is not
            self._say(
                _instead(
                    device, f"gives other vectors: {distance:.2g} apart, where {allowed:g} may be"
                )
            )
            return None
        self._say(f"Embedding on {device}.")
        return FallbackEncoder(encoder, self._on_processor, device, self._say)


class FallbackEncoder:
    """What embeds on a device; when that fails on the way, the processor embeds this batch and all that follow."""

    lanes = 1

    def __init__(self, encoder: Embed, reserve: Callable[[], Embed], device: str, say: Say) -> None:
        """`reserve` gives what embeds on the processor."""
        self.batch_tokens = encoder.batch_tokens
        self._encoder: Embed | None = encoder
        self._reserve = reserve
        self._device = device
        self._say = say
        self._instead: Embed | None = None

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors, float32 (len(texts), dimensions)."""
        if self._encoder is not None:
            try:
                return self._encoder(texts)
            except RuntimeError as error:  # torch's: memory too small for one text, say
                self._say(_instead(self._device, f"failed: {_first_line(error)}"))
                self._encoder = None
        if self._instead is None:
            self._instead = self._reserve()
        # The texts are of about one length, so a share of them is a share of the tokens.
        size = max(1, len(texts) * self._instead.batch_tokens // self.batch_tokens)
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]
        vectors = LocalExecutor().map(self._instead, batches, self._instead.lanes)
        return np.concatenate(list(vectors))


def _distance(one: Embed, other: Embed) -> float:
    """The greatest Euclidean distance between two encoders' vectors of the same probe."""
    texts = list(PROBE_TEXTS)
    return float(np.linalg.norm(one(texts) - other(texts), axis=1).max())


def _instead(device: str, what: str) -> str:
    return f"{device} {what}. The processor embeds instead."


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")

"""Embedding of many texts by torch, on a GPU or in bfloat16 on the processor.

In bfloat16 it takes two thirds of the time or less, at a cosine of some 0.998 to float32, where the device multiplies
it (AVX-512 BF16, AMX, any recent GPU). Where it does not this is slow, and right.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.batches import BATCH_TOKENS
from kb.retrieval.encoder import Tokens
from kb.storage.manifest import Precision

if TYPE_CHECKING:
    import torch

CPU_DEVICE = "cpu"

_CORE_TOKENS = 2 * BATCH_TOKENS
"""A batch of one of the processor's cores: each call of torch's costs more than the runtime's."""

_DEVICE_TOKENS = 64 * BATCH_TOKENS
"""A batch of another device, whose thousands of units want work at once: 128 passages, some 2 GB for a small model."""


GPU_DEVICE_FILES = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
"""What the drivers of NVIDIA, AMD and Windows' Linux put there, whether torch can use the GPU or not."""


def find_accelerator() -> str | None:
    """What torch sees beside the processor in this machine, "cuda" say; None if it sees nothing, or is missing."""
    try:
        import torch  # noqa: PLC0415  (takes seconds)
    except (ImportError, OSError):  # it is not installed, or a library that it needs
        return None
    if not torch.accelerator.is_available():
        return None
    return str(torch.accelerator.current_accelerator())


def unusable_gpu() -> Path | None:
    """The file of a GPU that the machine has, asked for where torch sees none; or None."""
    return next((path for path in GPU_DEVICE_FILES if path.exists()), None)


class TorchEncoder:
    """A sentence-transformers model on a device; what it is to its texts, `Embed` says."""

    def __init__(self, model_name: str, folder: Path, device: str, precision: Precision) -> None:
        """`folder` is the encoder's that was exported from the model, `device` a name of torch's.

        Raises ModelError if the model cannot be loaded, and what torch raises where the device cannot be used.
        """
        import torch  # noqa: PLC0415  (as above)

        from indexer.embedding.export import EmbeddingModel  # noqa: PLC0415  (imports torch)

        # Some GPUs would multiply float32 with ten bits of each number, and be apart by more than 1e-3.
        torch.set_float32_matmul_precision("highest")
        self._tokens = Tokens(folder)
        self._device = torch.device(device)
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._module: torch.nn.Module = EmbeddingModel(model_name).module().to(self._device, dtype)
        on_processor = self._device.type == CPU_DEVICE
        self.lanes = len(os.sched_getaffinity(0)) if on_processor else 1
        self.batch_tokens = _CORE_TOKENS if on_processor else _DEVICE_TOKENS
        self._fitting = float("inf")
        """Maximum number of tokens of a batch that the device's memory holds, as far as that is known."""

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors, float32 (len(texts), dimensions). In bfloat16 they differ by some 0.003 with the batch."""
        prompt = self._tokens.settings.passage_prompt
        batch = self._tokens.batch([prompt + text for text in texts])
        return self._in_what_fits(batch["input_ids"], batch["attention_mask"])

    def _in_what_fits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of the rows, at once or by halves. Raises torch.OutOfMemoryError if one row does not fit."""
        import torch  # noqa: PLC0415  (as above)

        if ids.size <= self._fitting or len(ids) == 1:
            try:
                return self._encode(ids, mask)
            except torch.OutOfMemoryError:
                if len(ids) == 1:
                    raise
                self._fitting = ids.size // 2
        # Not in the handler: until that has ended, what was made so far stays in the device's memory.
        half = len(ids) // 2
        return np.concatenate(
            [
                self._in_what_fits(ids[:half], mask[:half]),
                self._in_what_fits(ids[half:], mask[half:]),
            ]
        )

    def _encode(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        import torch  # noqa: PLC0415  (as above)

        if self._device.type == CPU_DEVICE:
            torch.set_num_threads(1)  # of this thread: each lane has a core
        with torch.inference_mode():
            vectors = self._module(
                input_ids=torch.from_numpy(ids).to(self._device),
                attention_mask=torch.from_numpy(mask).to(self._device),
            )
        return np.asarray(vectors.cpu().numpy(), dtype=np.float32)

"""indexer.embedding.torch_encoder and .device_choice; torch's processor stands for a GPU, by another of its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from indexer.embedding import device_choice, torch_encoder
from indexer.embedding.batches import BATCH_TOKENS, Embed
from indexer.embedding.device_choice import (
    AUTO_DEVICE,
    MIN_TORCH_TOKENS,
    PROBE_TEXTS,
    DeviceChooser,
    FallbackEncoder,
)
from indexer.embedding.index_encoder import IndexEncoder
from indexer.embedding.model_folder import DEFAULT_MODEL
from indexer.embedding.torch_encoder import CPU_DEVICE, TorchEncoder, find_accelerator

AS_A_GPU = "cpu:0"
"""The processor to torch, and to this project a device like any other."""

NOWHERE = "meta"
"""A device of torch's that computes nothing, and fails when it is asked for what it did not compute."""

TEXTS = [*PROBE_TEXTS[:3], "iron", "", "Sore gums bleed.", "légs " * 10]
MANY = MIN_TORCH_TOKENS + 1


@pytest.fixture(scope="module")
def folder(index_path: Path) -> Path:
    """An index's own encoder."""
    return index_path / "generations" / (index_path / "CURRENT").read_text().strip() / "encoder"


@pytest.fixture(scope="module")
def own(folder: Path) -> NDArray[np.float32]:
    """What the index's own encoder makes of TEXTS."""
    return IndexEncoder(folder)(TEXTS)


@pytest.fixture(scope="module")
def loaded(folder: Path) -> TorchEncoder:
    return TorchEncoder(DEFAULT_MODEL, folder, AS_A_GPU, "fp32")


@pytest.fixture
def on_device(loaded: TorchEncoder, monkeypatch: pytest.MonkeyPatch) -> TorchEncoder:
    """The same for every test, its memory as large as it was."""
    monkeypatch.setattr(loaded, "_fitting", float("inf"))
    return loaded


@pytest.fixture
def sizes(on_device: TorchEncoder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each batch has that a device with room for two of them is given; larger ones it fails at."""
    given: list[int] = []
    module = on_device._module

    def forward(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        given.append(len(input_ids))
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        vectors: torch.Tensor = module(input_ids=input_ids, attention_mask=attention_mask)
        return vectors

    monkeypatch.setattr(on_device, "_module", forward)
    return given


def choosing(folder: Path, device: str, precision: Any = "fp32") -> tuple[DeviceChooser, list[str]]:
    said: list[str] = []
    return DeviceChooser(folder, DEFAULT_MODEL, precision, device, said.append), said


def test_a_devices_vectors_are_those_of_the_index_to_a_thousandth(
    on_device: TorchEncoder, own: NDArray[np.float32]
) -> None:
    found = on_device(TEXTS)
    assert found.dtype == np.float32
    assert np.linalg.norm(found - own, axis=1).max() < 1e-5
    alone = np.concatenate([on_device([text]) for text in TEXTS])
    assert np.linalg.norm(alone - own, axis=1).max() < 1e-5


def test_a_full_memory_halves_the_batch_and_the_batches_after_it(
    on_device: TorchEncoder, own: NDArray[np.float32], sizes: list[int]
) -> None:
    assert np.linalg.norm(on_device(TEXTS) - own, axis=1).max() < 1e-5
    # The last four: after three had failed, no two were tried.
    assert sizes == [7, 3, *(7 * [1])]
    sizes.clear()
    assert np.linalg.norm(on_device(TEXTS) - own, axis=1).max() < 1e-5
    assert sizes == 7 * [1]


def test_few_texts_are_embedded_by_the_index_and_the_device_is_not_looked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(device_choice, "TorchEncoder")
    monkeypatch.delattr(device_choice, "find_accelerator")
    for device in (AUTO_DEVICE, NOWHERE):
        choose, said = choosing(folder, device, "bf16")
        assert isinstance(choose(MIN_TORCH_TOKENS), IndexEncoder)
        assert said == []


def test_many_texts_are_embedded_on_the_device_and_then_the_few_of_the_same_build(
    folder: Path, on_device: TorchEncoder, own: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_choice, "TorchEncoder", lambda *_: on_device)
    monkeypatch.setattr(device_choice, "find_accelerator", lambda: AS_A_GPU)
    choose, said = choosing(folder, AUTO_DEVICE)
    embed = choose(MANY)
    assert isinstance(embed, FallbackEncoder)
    assert embed.lanes == 1
    assert choose(1) is embed
    assert said == ["Embedding on cpu:0."]
    assert np.linalg.norm(embed(TEXTS) - own, axis=1).max() < 1e-5


def test_a_device_that_gives_other_vectors_embeds_nothing(
    folder: Path, on_device: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Coarse:
        """Numbers of ten bits after the point, as some GPUs multiply float32 unless told otherwise."""

        lanes, batch_tokens = 1, BATCH_TOKENS

        def __init__(self, step: float) -> None:
            self._step = np.float32(step)

        def __call__(self, texts: list[str]) -> NDArray[np.float32]:
            vectors = on_device(texts)
            return np.round(vectors / self._step) * self._step if self._step else vectors * np.nan

    for step in (2**-10, 0):
        coarse = Coarse(step)
        monkeypatch.setattr(device_choice, "TorchEncoder", lambda *_, coarse=coarse: coarse)
        choose, said = choosing(folder, AS_A_GPU)
        assert isinstance(choose(MANY), IndexEncoder)
        assert len(said) == 1
        assert "cpu:0 gives other vectors" in said[0]
        assert "The processor embeds instead." in said[0]


def test_a_device_that_cannot_be_used_leaves_the_texts_to_the_processor(
    folder: Path, own: NDArray[np.float32]
) -> None:
    choose, said = choosing(folder, NOWHERE)
    assert np.array_equal(choose(MANY)(TEXTS), own)
    assert len(said) == 1
    assert said[0].startswith("meta cannot be used: ")
    assert said[0].endswith(". The processor embeds instead.")
    assert isinstance(choose(MANY), IndexEncoder)
    assert len(said) == 1


@pytest.mark.skipif(find_accelerator() is not None, reason="torch sees a GPU")
def test_a_gpu_that_torch_does_not_see_is_told_of(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_encoder, "GPU_DEVICE_FILES", (tmp_path / "none", tmp_path))
    choose, said = choosing(folder, AUTO_DEVICE)
    assert isinstance(choose(MANY), IndexEncoder)
    assert said == [f"{tmp_path} is there, but torch sees no GPU. The processor embeds instead."]
    choose, said = choosing(folder, CPU_DEVICE)
    assert isinstance(choose(MANY), IndexEncoder)
    assert said == []


def test_a_device_that_fails_on_the_way_is_replaced_by_the_processor(
    folder: Path, on_device: TorchEncoder, own: NDArray[np.float32]
) -> None:
    class Breaks:
        lanes, batch_tokens = 1, 4 * BATCH_TOKENS
        calls = 0

        def __call__(self, texts: list[str]) -> NDArray[np.float32]:
            self.calls += 1
            if self.calls > 1:
                raise RuntimeError("CUDA error: unspecified launch failure\nCompile with ...")
            return on_device(texts)

    batches: list[int] = []

    class Reserve:
        lanes, batch_tokens = 2, BATCH_TOKENS
        own = IndexEncoder(folder)

        def __call__(self, texts: list[str]) -> NDArray[np.float32]:
            batches.append(len(texts))
            return self.own(texts)

    said: list[str] = []
    device: Embed = Breaks()
    embed = FallbackEncoder(device, Reserve, "cuda", said.append)
    for _ in range(3):
        assert np.linalg.norm(embed(TEXTS) - own, axis=1).max() < 1e-5
    assert said == [
        "cuda failed: CUDA error: unspecified launch failure. The processor embeds instead."
    ]
    assert batches == 2 * [1] * len(TEXTS)  # a quarter of seven is one

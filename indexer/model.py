"""Given a model's name or path, the encoder that travels with the index.

sentence-transformers loads the model; its ONNX export, pooling and normalisation included, is what embeds passages and
questions alike, so that neither is ever encoded by another model than the other.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from indexer.model_folder import DEFAULT_MODEL, model_folder
from indexer.tokens import TokenCounter
from kb.encoder import EncoderSettings
from kb.errors import ModelError
from kb.manifest import ModelInfo

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

_M_MMAP_THRESHOLD = -3  # of glibc's mallopt(3)
_PROBE = "Why do my legs jerk when I fall asleep?"


class EmbeddingModel:
    """A loaded sentence-transformers model, on the CPU, in float32."""

    def __init__(self, name: str = DEFAULT_MODEL) -> None:
        """Load a model by name or path. Raises ModelError."""
        self.name = name
        _bound_heap()
        with _quiet():
            try:
                from sentence_transformers import SentenceTransformer  # noqa: PLC0415  (takes seconds)
            except ImportError as error:
                raise ModelError(
                    f"sentence-transformers is not installed ({error}). Install the extra: "
                    "pip install 'sectioned-kb[indexing]'"
                ) from error
            try:
                self._model: SentenceTransformer = SentenceTransformer(
                    model_folder(name), device="cpu", trust_remote_code=False
                )
            except Exception as error:
                raise ModelError(
                    f"The model {name!r} cannot be loaded ({type(error).__name__}). Name a folder that holds a "
                    "sentence-transformers model, or a model of the hub where that can be reached."
                ) from error
        self._model.eval()
        tokenizer = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if tokenizer is None:
            raise ModelError(
                f"The model {name!r} has no fast tokenizer, which answering needs. Choose another model."
            )
        # A copy, without the padding and truncation that some model packages carry in it.
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        window = self._model.get_max_seq_length()
        if window is None:
            raise ModelError(
                f"The model {name!r} does not say how long its window is. Choose another model."
            )
        self._prompts = dict(self._model.prompts or {})
        prompt = self._tokenizer.encode(self.passage_prompt, add_special_tokens=False)
        self.counter = TokenCounter(self._tokenizer, int(window) - len(prompt.ids))
        dimensions = len(self.embed([_PROBE])[0])
        self.settings = EncoderSettings(
            dimensions=dimensions,
            max_tokens=int(window),
            query_prompt=self._prompts.get("query") or "",
            passage_prompt=self.passage_prompt,
        )
        self.info = ModelInfo(name, self._sha256(), dimensions, int(window))

    @property
    def passage_prompt(self) -> str:
        """What the model wants in front of a passage, often nothing."""
        return self._prompts.get("document") or self._prompts.get("passage") or ""

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors, float32 (len(texts), dimensions), of one batch. Best when the texts are of one length."""
        vectors = self._model.encode(
            [self.passage_prompt + text for text in texts],
            batch_size=len(texts),
            convert_to_numpy=True,
            normalize_embeddings=True,
            show_progress_bar=False,
            prompt="",
        )
        return np.asarray(vectors, dtype=np.float32)

    def export(self, folder: Path) -> None:
        """Write the encoder that answers questions into `folder` (made if missing). Raises ModelError.

        The export is checked: its vector of a probe sentence must have a cosine of 0.9999 with the model's own.
        """
        # onnxruntime is needed only here
        from kb.encoder import FOR_PASSAGES, FOR_QUESTIONS, Encoder  # noqa: PLC0415

        folder.mkdir(parents=True, exist_ok=True)
        self._tokenizer.save(str(folder / "tokenizer.json"))
        self.settings.save(folder / "encoder.json")
        try:
            with _quiet():
                self._export_onnx(folder / FOR_PASSAGES)
                _quantise(folder / FOR_PASSAGES, folder / FOR_QUESTIONS)
        except Exception as error:
            raise ModelError(
                f"The model {self.name!r} cannot be exported to ONNX ({type(error).__name__}: {error}). "
                "Choose another model."
            ) from error
        exported = Encoder(folder, FOR_PASSAGES)
        cosine = float(exported.encode_passages([_PROBE])[0] @ self.embed([_PROBE])[0])
        if cosine < 0.9999:
            raise ModelError(
                f"The ONNX export of {self.name!r} does not agree with the model (cosine {cosine:.4f}). "
                "Choose another model."
            )
        quantised = Encoder(folder, FOR_QUESTIONS)
        if float(quantised.encode_question(_PROBE) @ exported.encode_question(_PROBE)) < 0.998:
            (folder / FOR_QUESTIONS).unlink()

    def module(self) -> torch.nn.Module:
        """The model with its pooling: token ids and mask in, (n, tokens), one float32 unit vector each out."""
        import torch  # noqa: PLC0415  (takes seconds)

        model = self._model

        class UnitVector(torch.nn.Module):
            def forward(
                self, input_ids: torch.Tensor, attention_mask: torch.Tensor
            ) -> torch.Tensor:
                features = model({"input_ids": input_ids, "attention_mask": attention_mask})
                return torch.nn.functional.normalize(features["sentence_embedding"].float(), dim=-1)

        module = UnitVector()
        module.add_module("model", model)
        return module.eval()

    def _export_onnx(self, path: Path) -> None:
        import torch  # noqa: PLC0415  (as above)

        _plain_attention(self._model)
        example = torch.tensor([[101, 102, 103, 104, 105], [101, 102, 103, 0, 0]])
        mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
        axes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
        program = torch.onnx.export(
            self.module(),
            (example, mask),
            input_names=["input_ids", "attention_mask"],
            output_names=["unit_vector"],
            dynamic_shapes={"input_ids": axes, "attention_mask": axes},
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.save(str(path))

    def _sha256(self) -> str:
        """One hash over all weights, by name, and all that shapes a vector: tokenizer, window, modules in order."""
        modules: list[tuple[str, object]] = [
            (type(module).__name__, getattr(module, "get_config_dict", dict)())
            for module in self._model
        ]
        digest = hashlib.sha256(repr((self.settings, self._tokenizer.to_str(), modules)).encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(tensor.detach().float().cpu().numpy()).tobytes())
        return digest.hexdigest()


def _plain_attention(model: SentenceTransformer) -> None:
    """Have attention computed step by step: the export of torch's own form of it has twice as many nodes."""
    choose = getattr(getattr(model[0], "auto_model", None), "set_attn_implementation", None)
    if choose is not None:
        choose("eager")


def _quantise(source: Path, target: Path) -> None:
    """Write a model with weights of 8 bits (kb.encoder says how)."""
    import onnx  # noqa: PLC0415  (as above)
    from onnxruntime.quantization import matmul_nbits_quantizer  # noqa: PLC0415

    from indexer.joined_products import join_products  # noqa: PLC0415  (as above)

    config = matmul_nbits_quantizer.DefaultWeightOnlyQuantConfig(
        block_size=128, is_symmetric=True, accuracy_level=4, bits=8
    )
    model = onnx.load(source)
    join_products(model)
    quantizer = matmul_nbits_quantizer.MatMulNBitsQuantizer(model, algo_config=config)
    quantizer.process()
    quantizer.model.save_model_to_file(str(target))


def export_model(name: str, folder: Path) -> ModelInfo:
    """Load a model and write its encoder into `folder`; what the model is. Raises ModelError."""
    model = EmbeddingModel(name)
    model.export(folder)
    return model.info


def _bound_heap() -> None:
    """Have glibc give large blocks back when they are freed.

    It raises its threshold for that to 32 MB as it meets larger ones; then tensors of all lengths fragment the heap,
    which grew to 3.6 GB over a library of 6,000 articles, 0.7 GB of it in use. Setting the threshold also fixes it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 20)


@contextmanager
def _quiet() -> Iterator[None]:
    """Loading and exporting print and warn about the libraries' own affairs; none of it is the user's."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    sink: Any = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(sink), redirect_stderr(sink):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)

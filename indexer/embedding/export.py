"""The encoder that travels with an index, exported from a model's name or path.

sentence-transformers loads the model; its ONNX export, pooling and normalisation included, is what embeds passages and
questions alike, so that neither is ever encoded by another model than the other.
"""

from __future__ import annotations

import ctypes
import hashlib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from indexer.embedding.joint_attention import attention_as_one_step, attention_by_steps
from indexer.embedding.model_folder import DEFAULT_MODEL, model_folder
from indexer.passages.tokens import TokenCounter
from kb.reporting.suppressed_output import suppressed_output
from kb.retrieval.encoder import EncoderSettings
from kb.schema.errors import ModelError
from kb.schema.extras import install
from kb.storage.disk_errors import storage_error
from kb.storage.manifest import ModelInfo

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

_M_MMAP_THRESHOLD = -3  # of glibc's mallopt(3)
_PROBE = "Why do my legs jerk when I fall asleep?"
_PROBES = [
    _PROBE,
    " ".join(f"On day {day} my leg jerked {day * 37 % 101} times." for day in range(100)),
]
"""A sentence, and as many words as a question may have, no two parts of it alike."""

_SAME, _UNMASKED, _ROUNDED = 0.9999, 0.99999, 0.998
"""The least cosines of an export with its model, of one without masks and of one of 8 bits with the export."""


class EmbeddingModel:
    """A loaded sentence-transformers model, on the CPU, in float32."""

    def __init__(self, name: str = DEFAULT_MODEL) -> None:
        """Load a model by name or path. Raises ModelError."""
        self.name = name
        _bound_heap()
        with suppressed_output():
            try:
                from sentence_transformers import SentenceTransformer  # noqa: PLC0415  (takes seconds)
            except ImportError as error:
                raise ModelError(
                    f"A new model needs sentence-transformers, which cannot be imported ({error}). "
                    f"{install('indexing')}"
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

        The export is checked: its vectors of a sentence and of a long text must have a cosine of 0.9999 with the
        model's own.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._tokenizer.save(str(folder / "tokenizer.json"))
        self.settings.save(folder / "encoder.json")
        try:
            with suppressed_output():
                cosine = self._export_passages(folder)
                _write_for_questions(folder)
        except Exception as error:
            told = storage_error(error, folder)
            if told is not None:
                raise told from error
            raise ModelError(
                f"The model {self.name!r} cannot be exported to ONNX ({type(error).__name__}: {error}). "
                "Choose another model."
            ) from error
        if cosine < _SAME:
            raise ModelError(
                f"The ONNX export of {self.name!r} does not agree with the model (cosine {cosine:.4f}). "
                "Choose another model."
            )

    def _export_passages(self, folder: Path) -> float:
        """Write what embeds passages; its lowest cosine with the model itself."""
        # onnxruntime is needed only here
        from kb.retrieval.encoder import FOR_PASSAGES, Encoder  # noqa: PLC0415

        own = self.embed(_PROBES)

        def export() -> float:
            self._export_onnx(folder / FOR_PASSAGES)
            exported = Encoder(folder, FOR_PASSAGES).encode_passages(_PROBES)
            return float((own * exported).sum(axis=1).min())

        try:
            with attention_as_one_step(self._model):
                cosine = export()
                if cosine >= _SAME:
                    return cosine
        except Exception as error:  # some models' attention is their own
            if storage_error(error, folder) is not None:
                raise
        attention_by_steps(self._model)
        return export()

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
        bodies = [program.model.graph.all_nodes()]
        bodies += [function.all_nodes() for function in program.model.functions.values()]
        for node in chain.from_iterable(bodies):
            node.metadata_props.clear()  # stack traces, which say where this is installed
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


def _write_for_questions(folder: Path) -> None:
    """Write the encoder of questions: with weights of 8 bits (`kb.retrieval.encoder`), where that loses little."""
    import onnx  # noqa: PLC0415  (as above)
    from onnxruntime.quantization import matmul_nbits_quantizer  # noqa: PLC0415

    from indexer.embedding import question_graph  # noqa: PLC0415  (imports onnx)
    from kb.retrieval.encoder import FOR_PASSAGES, FOR_QUESTIONS, Encoder  # noqa: PLC0415

    path = folder / FOR_QUESTIONS
    exported = Encoder(folder, FOR_PASSAGES)
    right = [exported.encode_question(text) for text in _PROBES]

    def cosine(model: onnx.ModelProto) -> float:
        """The lowest with the export, of a model that is written for that; 0 where the runtime does not take it."""
        try:
            onnx.save(model, path)
            encoder = Encoder(folder, FOR_QUESTIONS)
            own = [encoder.encode_question(text) for text in _PROBES]
        except Exception as error:  # more than 2 GB, for instance
            if storage_error(error, folder) is not None:
                raise
            return 0.0
        return min(float(one @ other) for one, other in zip(own, right, strict=True))

    model = onnx.load(folder / FOR_PASSAGES)
    question_graph.join_products(model)
    question_graph.drop_masks(model)
    if cosine(model) < _UNMASKED:  # a mask that keeps more out than padding
        model = onnx.load(folder / FOR_PASSAGES)
        question_graph.join_products(model)
    config = matmul_nbits_quantizer.DefaultWeightOnlyQuantConfig(
        block_size=128, is_symmetric=True, accuracy_level=4, bits=8
    )
    quantizer = matmul_nbits_quantizer.MatMulNBitsQuantizer(model, algo_config=config)
    quantizer.process()
    question_graph.add_in_products(quantizer.model.model)
    if cosine(quantizer.model.model) < _ROUNDED:
        path.unlink(missing_ok=True)


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

"""Given an index, how fast its texts are embedded: by plain sentence-transformers calls and as `kb build` does, on the
processor and on a GPU where torch sees one.

    python benchmarks/embedding.py --index DIR [--passages 600]

Prints tokens a second, the share of what the machine's matrix products reach in the same numbers, and how near the
vectors are to those of the plain calls. The ways take turns, and of each the best of three rounds counts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import kb  # noqa: F401 - it turns telemetry off, before what has some is loaded

# isort: split
import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from indexer.embedding.batches import Embed, EmbeddingCache, embed_into
from indexer.embedding.index_encoder import IndexEncoder
from indexer.embedding.model_folder import model_folder
from indexer.embedding.torch_encoder import CPU_DEVICE, TorchEncoder, find_accelerator
from kb import KnowledgeBase
from kb.storage.manifest import PRECISIONS

ROUNDS = 3
CALL = 32
"""Texts of a plain call, the library's default."""

Way = Callable[[list[str]], NDArray[np.float32]]


def passages(index: Path, count: int) -> tuple[list[str], Path, str]:
    """Texts of passages, evenly spread over the library; the encoder's folder and the model's name."""
    with KnowledgeBase.open(index) as opened:
        rows = np.linspace(0, opened.passage_count - 1, count, dtype=np.int64)
        texts = [opened.engine.citer.cited(int(row)).quote for row in rows]
        return (
            texts,
            index / "generations" / opened.generation / "encoder",
            opened.manifest.model.name,
        )


def as_a_build(embed: Embed, dimensions: int, lengths: dict[str, int]) -> Way:
    """Sorted, in batches, in lanes, and into a cache that begins empty."""

    def way(texts: list[str]) -> NDArray[np.float32]:
        out = np.zeros((len(texts), dimensions), dtype=np.float32)
        with (
            TemporaryDirectory() as folder,
            EmbeddingCache(Path(folder) / "c.sqlite", "", dimensions) as cache,
        ):
            of_each = [lengths[text] for text in texts]
            embed_into(out, texts, of_each, lambda _: embed, cache, lambda _: None)
        return out

    return way


def ceiling(device: str, dtype: torch.dtype) -> float:
    """GFLOP/s of a product of matrices too large for the caches, on all of a device; the best of ten."""
    one = torch.ones(2048, 2048, dtype=dtype, device=device)
    taken = []
    for _ in range(10):
        begun = time.perf_counter()
        product = one @ one
        product[0, 0].item()  # which waits for a GPU
        taken.append(time.perf_counter() - begun)
    return 2 * 2048**3 / min(taken) / 1e9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=600)
    options = parser.parse_args()
    texts, folder, name = passages(options.index, options.passages)
    threads = torch.get_num_threads()
    model = SentenceTransformer(model_folder(name), device="cpu")
    half = SentenceTransformer(model_folder(name), device="cpu").bfloat16()
    counter = IndexEncoder.counter_of(folder)
    lengths = {
        text: min(counter.count(text) + counter.special_tokens, model.max_seq_length)
        for text in texts
    }
    tokens = sum(lengths[text] for text in texts)
    layers = sum(
        weights.numel()
        for part, weights in model.named_parameters()
        if weights.dim() == 2 and "embeddings" not in part
    )

    def plain(chosen: SentenceTransformer) -> Way:
        def way(given: list[str]) -> NDArray[np.float32]:
            torch.set_num_threads(threads)
            return np.asarray(
                chosen.encode(
                    given, batch_size=CALL, normalize_embeddings=True, show_progress_bar=False
                )
            )

        return way

    size = model.get_embedding_dimension()
    assert size is not None

    def built(embed: Embed) -> Way:
        return as_a_build(embed, size, lengths)

    on_processor = TorchEncoder(name, folder, CPU_DEVICE, "bf16")
    ways: dict[str, tuple[Way, str, torch.dtype]] = {
        "plain calls, fp32": (plain(model), CPU_DEVICE, torch.float32),
        "a build, fp32": (built(IndexEncoder(folder)), CPU_DEVICE, torch.float32),
        "plain calls, bf16": (plain(half), CPU_DEVICE, torch.bfloat16),
        "a build, bf16": (built(on_processor), CPU_DEVICE, torch.bfloat16),
    }
    gpu = find_accelerator()
    if gpu is not None:
        single, rounded = (TorchEncoder(name, folder, gpu, numbers) for numbers in PRECISIONS)
        ways[f"a build, fp32, on {gpu}"] = (built(single), gpu, torch.float32)
        ways[f"a build, bf16, on {gpu}"] = (built(rounded), gpu, torch.bfloat16)
    best = dict.fromkeys(ways, 0.0)
    reached = {(device, dtype): 0.0 for _, device, dtype in ways.values()}
    vectors = {}
    for embed, _, _ in ways.values():
        embed(texts[:CALL])
    for _round in range(ROUNDS):
        for way, (embed, _, _) in ways.items():
            begun = time.perf_counter()
            vectors[way] = embed(texts)
            best[way] = max(best[way], tokens / (time.perf_counter() - begun))
        torch.set_num_threads(threads)
        for place, most in reached.items():
            reached[place] = max(most, ceiling(*place))
    first = next(iter(ways))
    print(f"{len(texts)} passages, {tokens:,} tokens")
    print("\n| | tokens/s | against plain fp32 | of the machine's products | lowest cosine |")
    print("|---|---|---|---|---|")
    for way, (_, *place) in ways.items():
        most = reached[place[0], place[1]]
        share = best[way] * 2 * layers / 1e9 / most
        nearest = float((vectors[way] * vectors[first]).sum(axis=1).min())
        print(
            f"| {way} | {best[way]:,.0f} | {best[way] / best[first]:.2f} | {share:.0%} of "
            f"{most:.0f} GFLOP/s | {nearest:.4f} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Trains the encoder of questions alone, against the vectors that an index has, on how people ask.

    python training/question_encoder.py --index build/suite/medquad [--kind adapter|lora] [--out FILE.npz]

The passages' vectors stay those of the published model, so that what is learnt serves any index of it. `adapter` turns
a question's vector by a matrix of low rank; `lora` adds matrices of low rank to every layer of the model (Hu and
others, "LoRA: Low-rank adaptation of large language models", ICLR 2022). Each question is compared with the passages of
its article and with the first ones that the ranking gives. The loss is the negative logarithm of the softmax that
falls on passages of grade 2; those of grade 1 are left out. A second term keeps the vector near to what it was.

Prints, for the questions over articles that were set aside, how often the nearest passage answers, and the mean
reciprocal rank of the first that does, before and after. docs/experiments/ranking.md has what came of it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from indexer.embedding.model_folder import DEFAULT_MODEL, model_folder
from kb import KnowledgeBase
from kb.compute.arrays import mapped
from kb.evaluation import runs

HERE = Path(__file__).parent
TEMPERATURE, BATCH = 0.05, 32
RANKED = 40
"""Number of passages of the ranking that a question is compared with, beside those of its article."""

PASSAGE, SENTENCE = 0.4, 0.6
"""Shares of a passage and of its nearest sentence in what the question is compared with, about as in the ranking."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the vectors that it is compared with, float32 (n, d), and the grade of each, (n,)."""

    text: str
    vectors: NDArray[np.float32]
    grades: NDArray[np.int64]


def read(name: str) -> list[dict[str, Any]]:
    """The questions of a file."""
    lines = (HERE / "questions" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def compared(opened: KnowledgeBase, entries: list[dict[str, Any]]) -> list[Asked]:
    """Each question with what it is compared with; those whose sections are not in the index are left out."""
    engine = opened.engine
    vectors = engine.index.signals.vectors  # type: ignore[attr-defined]
    table = engine.citer.passages
    codes, scales = (
        mapped(engine.folder / "vectors", name) for name in ("sentences", "sentence_scales")
    )
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row in range(len(table)):
        rows_of[runs.unit_id(opened, row, "article")].append(row)
    found = []
    for entry in entries:
        ranking = runs.rank(opened, entry["text"])
        first = ranking.rows[np.argsort(-ranking.boosted_scores)[:RANKED]]
        rows = np.unique(np.concatenate((rows_of[entry["article"]], first)).astype(np.int64))
        grades = np.array(
            [entry["sections"].get(runs.unit_id(opened, int(row), "section"), 0) for row in rows]
        )
        if not (grades == 2).any():
            continue
        question = engine.encoder.encode_question(entry["text"])
        _, nearest = vectors.best_sentences(question, rows)
        nearest = vectors.sentence_starts[rows] + nearest
        sentences = codes[nearest].astype(np.float32) * scales[nearest][:, None]
        both = PASSAGE * vectors.passage_vectors(rows) + SENTENCE * sentences
        found.append(Asked(entry["text"], both.astype(np.float32), grades))
    return found


class LowRank(nn.Module):
    """A linear layer with a trained matrix of low rank beside it."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        self.layer = layer
        self.down = nn.Parameter(
            torch.randn(rank, layer.in_features) / math.sqrt(layer.in_features)
        )
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """The layer's output and what was learnt."""
        return self.layer(states) + (states @ self.down.T) @ self.up.T


class QuestionEncoder(nn.Module):
    """The published model with what is trained: low-rank matrices in its layers, or one behind it."""

    def __init__(self, kind: str, rank: int) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415  (seconds)

        folder = model_folder(DEFAULT_MODEL)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder).eval().requires_grad_(False)
        size = self.model.config.hidden_size
        self.down = self.up = None
        if kind == "adapter":
            self.down = nn.Parameter(torch.randn(rank, size) / 20)
            self.up = nn.Parameter(torch.zeros(size, rank))
        else:
            for module in list(self.model.modules()):
                for name, layer in list(module.named_children()):
                    if isinstance(layer, nn.Linear) and name in ("query", "value", "dense"):
                        setattr(module, name, LowRank(layer, rank))

    def forward(self, texts: list[str]) -> torch.Tensor:
        """Unit vectors, (n, d)."""
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        states = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None].float()
        found = functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
        if self.down is not None and self.up is not None:
            found = functional.normalize(found + (found @ self.up) @ self.down, dim=-1)
        return found


def loss_of(vector: torch.Tensor, asked: Asked) -> torch.Tensor:
    """The negative logarithm of the softmax on what answers."""
    grades = torch.from_numpy(asked.grades)
    nearness = torch.from_numpy(asked.vectors) @ vector / TEMPERATURE
    nearness = nearness.masked_fill(grades == 1, -torch.inf)
    return torch.logsumexp(nearness, 0) - torch.logsumexp(nearness[grades == 2], 0)


def figures(encoder: QuestionEncoder, questions: list[Asked]) -> str:
    """How often the nearest passage answers, and the mean reciprocal rank of the first that does."""
    first, reciprocal = [], []
    with torch.no_grad():
        for start in range(0, len(questions), BATCH):
            batch = questions[start : start + BATCH]
            for vector, asked in zip(
                encoder([each.text for each in batch]).numpy(), batch, strict=True
            ):
                answers = asked.grades[np.argsort(-(asked.vectors @ vector), kind="stable")] == 2
                first.append(answers[0])
                reciprocal.append(1 / (1 + answers.argmax()))
    return f"first {np.mean(first):.3f}, reciprocal rank {np.mean(reciprocal):.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True, help="an index of MedQuAD")
    parser.add_argument("--kind", choices=["adapter", "lora"], default="adapter")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument(
        "--keep", type=float, default=5.0, help="weight of staying near to what it was"
    )
    parser.add_argument("--out", type=Path, help="write what was learnt")
    options = parser.parse_args()
    torch.manual_seed(0)
    with KnowledgeBase.open(options.index) as opened:
        held_out, train = compared(opened, read("held_out")), compared(opened, read("train"))
    encoder = QuestionEncoder(options.kind, options.rank)
    print("held out, before:", figures(encoder, held_out), flush=True)
    learnt = {name: value for name, value in encoder.named_parameters() if value.requires_grad}
    with torch.no_grad():
        before = {each.text: encoder([each.text])[0] for each in train}
    optimizer = torch.optim.AdamW(learnt.values(), lr=options.rate)
    random = Random(0)  # noqa: S311  (chance, not a secret)
    for epoch in range(options.epochs):
        random.shuffle(train)
        for start in range(0, len(train), BATCH):
            batch = train[start : start + BATCH]
            vectors = encoder([each.text for each in batch])
            losses = [loss_of(vector, each) for vector, each in zip(vectors, batch, strict=True)]
            moved = [
                1 - vector @ before[each.text] for vector, each in zip(vectors, batch, strict=True)
            ]
            loss = torch.stack(losses).mean() + options.keep * torch.stack(moved).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"held out, after epoch {epoch + 1}:", figures(encoder, held_out), flush=True)
    if options.out is not None:
        np.savez(options.out, **{name: value.detach().numpy() for name, value in learnt.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())

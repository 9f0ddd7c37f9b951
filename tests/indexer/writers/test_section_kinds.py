"""indexer.writers.section_kinds: what a section calls itself and begins with, as one vector"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from indexer.writers.section_kinds import KindRows
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.encoder import FOR_PASSAGES, Encoder
from kb.retrieval.vectors import COSINE_ROUNDING


def test_a_row_is_half_of_each_of_its_two_vectors(tmp_path: Path) -> None:
    both = np.random.default_rng(2).normal(size=(2, 30, 48)).astype(np.float32)
    both /= np.linalg.norm(both, axis=2, keepdims=True)
    rows = KindRows(tmp_path / "kinds", 31, 48)
    for vectors in both:
        for place in (3, *range(3), *range(4, 30)):  # in any order
            rows[place] = vectors[place]
    rows.save()
    scales = np.load(tmp_path / "kind_scales.npy")
    kept = np.load(tmp_path / "kinds.npy") * scales[:, None]
    assert np.abs(kept[:30] - both.mean(axis=0)).max() <= scales.max() * 1.1
    assert not kept[30].any()


def test_a_section_without_a_heading_is_of_no_kind_and_any_other_is_near_to_its_heading(
    knowledge_base: KnowledgeBase,
) -> None:
    folder = knowledge_base.path / "generations" / knowledge_base.generation
    encoder = Encoder(folder / "encoder", FOR_PASSAGES)
    kinds = np.load(folder / "vectors" / "kinds.npy").astype(np.float32)
    kinds *= np.load(folder / "vectors" / "kind_scales.npy")[:, None]
    sections = [
        section
        for summary in sorted(knowledge_base.articles(limit=1000), key=lambda each: each.id)
        for section in knowledge_base.article(summary.id).sections
    ]
    assert len(sections) == len(kinds)
    for section, kind in zip(sections[:40], kinds, strict=False):
        if not section.heading:
            assert not kind.any()
            continue
        heading = encoder.encode_question(section.heading)
        opening = encoder.encode_question(f"{section.heading}\n{section.text[:240]}")
        assert np.abs(kind - (heading + opening) / 2).max() < COSINE_ROUNDING

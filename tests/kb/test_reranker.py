"""kb.reranker, with a cross-encoder that is real in all but its size"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from kb.errors import ModelError
from kb.knowledge_base import RERANKED, KnowledgeBase
from kb.reranker import Reranker
from tests.faults.harness.tiny import make_tiny_model

QUESTION = "why do my legs jerk when I fall asleep"


def make_cross_encoder(folder: Path, outputs: int = 1) -> str:
    """Write one of a layer and 16 dimensions, its weights random but always the same."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    words = folder / "words"
    make_tiny_model(words)
    torch.manual_seed(1)
    config = BertConfig.from_pretrained(words / "bert", num_labels=outputs, initializer_range=0.5)
    model = folder / f"cross-encoder-{outputs}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        BertForSequenceClassification(config).save_pretrained(model)
        AutoTokenizer.from_pretrained(words / "bert").save_pretrained(model)
    return str(model)


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Reranker:
    return Reranker(make_cross_encoder(tmp_path_factory.mktemp("model")))


def test_results_come_in_the_order_of_its_scores_and_those_behind_stay(
    knowledge_base: KnowledgeBase, reranker: Reranker
) -> None:
    before = knowledge_base.search(QUESTION, limit=50).results
    with KnowledgeBase.open(knowledge_base.path, reranker=reranker) as asked:
        after = asked.search(QUESTION, limit=50)
        by_words = asked.search(QUESTION, limit=50, mode="keyword").results
        run = [unit for unit, _ in asked.run(QUESTION, depth=50)]
    texts = [
        f"{result.citation.article_title}\n{result.citation.section_heading}\n{result.text}"
        for result in before[:RERANKED]
    ]
    best = np.argsort(-reranker.scores(QUESTION, texts), kind="stable")
    expected = [before[place].citation for place in best] + [
        result.citation for result in before[RERANKED:]
    ]
    assert [result.citation for result in after.results] == expected
    assert expected != [result.citation for result in before]
    assert run == [f"{c.article_id}#{c.section_id}" for c in expected]
    assert "rerank" in after.timings
    assert by_words == knowledge_base.search(QUESTION, limit=50, mode="keyword").results


def test_no_result_needs_no_reranking(knowledge_base: KnowledgeBase, reranker: Reranker) -> None:
    with KnowledgeBase.open(knowledge_base.path, reranker=reranker) as asked:
        assert asked.search('"no such phrase anywhere"').results == ()


@pytest.mark.filterwarnings("ignore::Warning")
def test_what_cannot_rank_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no/such/model.*CrossEncoder"):
        Reranker("no/such/model")
    with pytest.raises(ModelError, match="has 3 outputs"):
        Reranker(make_cross_encoder(tmp_path, outputs=3))

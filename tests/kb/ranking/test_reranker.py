"""kb.ranking.reranker, with a cross-encoder that is real in all but its size"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest

from kb.evaluation import runs
from kb.knowledge_base import KnowledgeBase
from kb.ranking.reranker import RERANK_DEPTH, Reranker
from kb.schema.errors import ModelError
from support.tiny import make_tiny_model

QUESTION = "what are the parts of a stethoscope and what do they do"


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
        run = [unit for unit, _ in runs.run(asked, QUESTION, depth=50)]
    texts = [
        f"{result.citation.article_title}\n{result.citation.section_heading}\n{result.text}"
        for result in before[:RERANK_DEPTH]
    ]
    best = np.argsort(-reranker.scores(QUESTION, texts), kind="stable")
    expected = [before[place].citation for place in best] + [
        result.citation for result in before[RERANK_DEPTH:]
    ]
    assert [result.citation for result in after.results] == expected
    assert expected != [result.citation for result in before]
    assert run == [f"{c.article_id}#{c.section_id}" for c in expected]
    assert "rerank" in after.timings
    assert by_words == knowledge_base.search(QUESTION, limit=50, mode="keyword").results


def test_the_service_orders_by_the_model_that_is_set(
    index_path: Path,
    reranker: Reranker,
    listening: Callable[..., AbstractContextManager[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the library does, in the API and on the page; a question without results needs no reranking."""
    with KnowledgeBase.open(index_path, reranker=reranker) as asked:
        expected = asked.search(QUESTION).to_dict()["results"]
    monkeypatch.setenv("KB_RERANKER", reranker.name)
    with listening(index_path) as url, httpx.Client(base_url=url) as client:
        answer = client.post("/api/v1/search", json={"question": QUESTION}).json()
        page = client.get("/", params={"q": QUESTION}, headers={"Accept": "text/html"}).text
        nothing = client.post("/api/v1/search", json={"question": '"no such phrase anywhere"'})
    assert answer["timings"]["rerank"] > 0
    assert answer["results"] == json.loads(json.dumps(expected))
    order = [page.index(f'href="/articles/{first["citation"]["article_id"]}') for first in expected]
    assert order[0] == min(order)
    assert nothing.status_code == 200
    assert nothing.json()["results"] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::Warning")
def test_what_cannot_rank_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no/such/model.*CrossEncoder"):
        Reranker("no/such/model")
    with pytest.raises(ModelError, match="has 3 outputs"):
        Reranker(make_cross_encoder(tmp_path, outputs=3))

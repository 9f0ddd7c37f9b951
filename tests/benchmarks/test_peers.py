"""The short form of `make bench`: the harness over a small library, beside an engine that needs nothing installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.evaluation import runs
from kb.evaluation.measures import Topic
from kb.knowledge_base import KnowledgeBase
from support.places import ROOT


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    """The benchmarks are no part of what is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield


@pytest.fixture(scope="module")
def material(
    index_path: Path, knowledge_base: KnowledgeBase, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    from benchmarks.peers.material import prepare

    topics = [
        Topic(f"t{place}", f"What causes {summary.title}?")
        for place, summary in enumerate(knowledge_base.articles(limit=4))
    ]
    return prepare(index_path, topics, tmp_path_factory.mktemp("material"))


def test_all_are_given_the_passages_of_the_index_word_for_word(
    material: Any, knowledge_base: KnowledgeBase
) -> None:
    assert len(material.passages) == len(material.vectors) == knowledge_base.passage_count
    assert np.allclose(np.linalg.norm(material.vectors, axis=1), 1, atol=1e-5)
    for passage in material.passages[::25]:
        article_id, _, rest = passage.id.partition("#")
        section_id, _, start = rest.rpartition("@")
        article = knowledge_base.article(article_id)
        section = article.section(section_id)
        assert section is not None
        assert section.text[int(start) :].startswith(passage.text)
        assert (passage.title, passage.heading) == (article.title, section.heading)


def test_a_run_of_two_engines_has_every_figure_and_a_table(
    material: Any, knowledge_base: KnowledgeBase, index_path: Path, tmp_path: Path
) -> None:
    from benchmarks.peers import report
    from benchmarks.peers.engines import engine
    from benchmarks.peers.quality import quality
    from benchmarks.peers.runs import Run, machine
    from benchmarks.peers.worker import PAGE, build, measure

    def lookup() -> Any:
        known = {text: row for row, (_, text) in enumerate(material.questions)}
        return lambda text: material.question_vectors[known[text]]

    first = {
        topic: runs.run(knowledge_base, text, "section", 1)[0][0]
        for topic, text in material.questions
    }
    qrels = tmp_path / "qrels.txt"
    qrels.write_text("".join(f"{topic} 0 {unit} 2\n" for topic, unit in first.items()))
    kept = Run(tmp_path / "run.json", machine(), material.about)
    for name in ("own", "numpy"):
        asked, folder = engine(name), tmp_path / name
        folder.mkdir()
        built = build(asked, folder, material) if name == "numpy" else {"passages_per_second": 1.0}
        done = measure(asked, folder if name == "numpy" else index_path, material, 0.02, lookup)
        assert all(len(rows) > PAGE for rows in done["run"])
        assert done["figures"]["clients"][-1]["clients"] == 8
        assert not any(rate["failed"] for rate in done["figures"]["clients"])
        kept.engines[name] = {
            "title": asked.title,
            "kind": asked.kind,
            "settings": asked.settings,
            "versions": {"numpy": np.__version__},
            "build": built,
            "quality": quality(done["run"], material, qrels),
            "figures": done["figures"],
            "disk_mb": 1.0,
            "cold_s": 1.0,
        }
    kept.save()
    again = Run.load(kept.path)
    assert again == kept
    assert again.engines["own"]["quality"]["ndcg"] == 1  # judged by its own first
    assert again.engines["numpy"]["quality"]["ndcg"] > 0
    assert "| **this project** | 1.000 |" in report.summary(again)
    assert report.details(again).count("| numpy, exact ") == 3


def test_numpys_order_is_that_of_the_cosines(material: Any, tmp_path: Path) -> None:
    from benchmarks.peers.engines import engine

    asked = engine("numpy")
    asked.build(tmp_path, material)
    asked.open(tmp_path)
    vector = material.question_vectors[0]
    cosines = material.vectors @ vector
    assert asked.ask("", vector, 7) == np.argsort(-cosines, kind="stable")[:7].tolist()


def test_the_words_alone_are_those_of_the_keyword_mode(
    index_path: Path, knowledge_base: KnowledgeBase, material: Any
) -> None:
    from benchmarks.peers.engines import engine

    asked = engine("words")
    asked.open(index_path)
    for _, text in material.questions:
        response = knowledge_base.search(text, mode="keyword", group_by="passage", explain=True)
        by_words = {
            f"{result.citation.article_id}#{result.citation.section_id}@{result.citation.start}": (
                result.explanation.keyword_score
            )
            for result in response.results
        }
        ranked = [material.passages[row].id for row in asked.ask(text, None, 100)]
        own = [by_words[passage] for passage in ranked if passage in by_words]
        assert len(own) == len(by_words)
        assert own == sorted(own, reverse=True)


def test_ranks_are_fused_by_the_papers_formula() -> None:
    from benchmarks.peers.engines.base import reciprocal_ranks

    # 7: 1/62 + 1/61; 5: 1/61; 9: 1/62.
    assert reciprocal_ranks([[5, 7], [7, 9]], 3) == [7, 5, 9]
    assert reciprocal_ranks([[5, 7], [7, 9]], 1) == [7]


def test_a_process_of_its_own_says_when_it_has_its_first_answer(
    material: Any, index_path: Path
) -> None:
    worker = [sys.executable, "-m", "benchmarks.peers.worker", "first", "own"]
    done = subprocess.run(
        [*worker, str(index_path), str(material.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "answered\n"


def test_the_documents_hold_the_tables_of_the_run_that_is_kept() -> None:
    from benchmarks.peers import report
    from benchmarks.peers.engines import NAMES
    from benchmarks.peers.runs import Run

    kept = Run.load(ROOT / "benchmarks" / "peers" / "run.json")
    assert list(kept.engines), "run `make bench`"
    assert set(kept.engines) <= set(NAMES)
    for document, content in (
        ("README.md", report.summary(kept)),
        ("docs/experiments/performance.md", report.details(kept)),
    ):
        text = (ROOT / document).read_text(encoding="utf-8")
        assert f"<!-- peers -->\n\n{content}\n\n<!-- /peers -->" in text, "run `make bench-report`"

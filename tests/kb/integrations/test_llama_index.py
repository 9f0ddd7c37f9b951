"""kb.integrations.llama_index: in query engines of the real library"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from llama_index.core.llms import MockLLM
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.prompts import PromptTemplate
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from llama_index.core.schema import MetadataMode

from kb.integrations.llama_index import KnowledgeBaseRetriever
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import IndexMissing, InvalidRequest
from support.questions import EMERGENCY, NO_ANSWER, QUESTION

TEMPLATE = PromptTemplate("Quote from:\n{context_str}\n\n{query_str}")


@pytest.fixture(params=["folder", "service"])
def retriever(request: pytest.FixtureRequest, index_path: Path) -> Iterator[KnowledgeBaseRetriever]:
    if request.param == "folder":
        opened = KnowledgeBaseRetriever(str(index_path), limit=2)
    else:
        opened = KnowledgeBaseRetriever(url=request.getfixturevalue("service_url"), limit=2)
    yield opened
    opened.close()


def test_a_query_engine_gives_a_model_the_passages_and_keeps_their_citations(
    retriever: KnowledgeBaseRetriever, knowledge_base: KnowledgeBase
) -> None:
    engine = RetrieverQueryEngine.from_args(retriever, llm=MockLLM())  # repeats its prompt
    results = knowledge_base.search(QUESTION, 2).results
    for response in (engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))):
        for result, source in zip(results, response.source_nodes, strict=True):
            assert result.text in str(response)
            assert source.node.get_content(MetadataMode.NONE) == result.text
            assert source.score == pytest.approx(result.score, abs=1e-6)
            assert source.node.metadata["section_id"] == result.citation.section_id
            assert str(source.node.metadata["url"]).endswith(result.citation.url)
        assert f"section_heading: {results[0].citation.section_heading}" in str(response)
        assert "generation:" not in str(response), "a model is shown what it can cite by"


def test_llama_indexs_templates_bear_a_notice_as_they_bear_a_passage(
    retriever: KnowledgeBaseRetriever, knowledge_base: KnowledgeBase
) -> None:
    nodes = retriever.retrieve(EMERGENCY)
    assert asyncio.run(retriever.aretrieve(EMERGENCY)) == nodes
    notice, *others = nodes
    assert others
    assert {frozenset(each.node.metadata) for each in nodes} == {frozenset(notice.node.metadata)}
    title = knowledge_base.search(EMERGENCY).notices[0].title
    shown = notice.node.get_content(MetadataMode.LLM)
    assert f"article_title: {title}" in shown
    assert "kind: notice" in shown
    assert "None" not in shown, "a model is not shown what a notice does not have"
    assert "section_heading" not in shown
    assert "rank: 0" in notice.node.get_content(MetadataMode.ALL)
    kept = SimilarityPostprocessor(similarity_cutoff=0.9).postprocess_nodes(nodes)
    assert kept[0] == notice, "what drops by score keeps a notice"
    for mode in ("compact", "tree_summarize", "simple_summarize"):
        synthesizer = get_response_synthesizer(
            llm=MockLLM(), response_mode=ResponseMode(mode), text_qa_template=TEMPLATE
        )
        told = str(synthesizer.synthesize(EMERGENCY, nodes))
        assert title in told
        assert others[0].node.get_content(MetadataMode.NONE).splitlines()[0] in told


def test_where_nothing_answers_there_are_no_nodes(retriever: KnowledgeBaseRetriever) -> None:
    assert retriever.retrieve(NO_ANSWER) == []
    assert asyncio.run(retriever.aretrieve(NO_ANSWER)) == []


def test_what_cannot_be_opened_is_refused(index_path: Path) -> None:
    with pytest.raises(IndexMissing):
        KnowledgeBaseRetriever(str(index_path / "nothing"))
    with pytest.raises(InvalidRequest, match="either"):
        KnowledgeBaseRetriever()


def test_nothing_leaves_the_process_whatever_the_environment_says(
    index_path: Path, what_left: Callable[[str], tuple[str, list[str]]]
) -> None:
    out, left = what_left(f"""
from kb.integrations.llama_index import KnowledgeBaseRetriever
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
engine = RetrieverQueryEngine.from_args(KnowledgeBaseRetriever({str(index_path)!r}), llm=MockLLM())
print(len(engine.query({QUESTION!r}).source_nodes))
""")
    assert out.strip() == "10"
    assert left == []

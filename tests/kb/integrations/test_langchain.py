"""kb.integrations.langchain: in chains of the real library"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import (
    ChatPromptTemplate,
    PromptTemplate,
    aformat_document,
    format_document,
)
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from pydantic import ValidationError

from kb.integrations.langchain import KnowledgeBaseRetriever
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import IndexMissing, InvalidRequest
from support.questions import EMERGENCY, NO_ANSWER, QUESTION


@pytest.fixture(params=["folder", "service"])
def retriever(request: pytest.FixtureRequest, index_path: Path) -> Iterator[KnowledgeBaseRetriever]:
    if request.param == "folder":
        opened = KnowledgeBaseRetriever(index=str(index_path), limit=2)
    else:
        opened = KnowledgeBaseRetriever(url=request.getfixturevalue("service_url"), limit=2)
    yield opened
    opened.close()


def joined(documents: list[Document]) -> str:
    return "\n".join(f"{each.page_content} [{each.metadata['url']}]" for each in documents)


def test_a_chain_gives_a_model_the_passages(
    retriever: KnowledgeBaseRetriever, knowledge_base: KnowledgeBase
) -> None:
    seen: list[BaseMessage] = []

    def see(prompt: object) -> object:
        seen.extend(prompt.to_messages())  # type: ignore[attr-defined]
        return prompt

    chain = (
        {"context": retriever | joined, "question": RunnablePassthrough()}
        | ChatPromptTemplate.from_template("Answer from:\n{context}\n\n{question}")
        | RunnableLambda(see)
        | FakeListChatModel(responses=["They jump."])
        | StrOutputParser()
    )
    results = knowledge_base.search(QUESTION, 2).results
    assert chain.invoke(QUESTION) == asyncio.run(chain.ainvoke(QUESTION)) == "They jump."
    assert len(seen) == 2
    for message in seen:
        for result in results:
            assert result.text in message.content
            assert f"{result.citation.url}]" in message.content


def test_documents_are_the_passages_one_by_one_in_batches_and_awaited(
    retriever: KnowledgeBaseRetriever, knowledge_base: KnowledgeBase
) -> None:
    documents = retriever.invoke(QUESTION)
    results = knowledge_base.search(QUESTION, 2).results
    assert [each.page_content for each in documents] == [each.text for each in results]
    assert documents[0].id == (
        f"{documents[0].metadata['article_id']}#{documents[0].metadata['section_id']}"
        f"@{documents[0].metadata['start']}"
    )
    assert asyncio.run(retriever.ainvoke(QUESTION)) == documents
    assert retriever.batch([QUESTION, NO_ANSWER]) == [documents, []]
    assert retriever.invoke(QUESTION, limit=1) == documents[:1]
    assert asyncio.run(retriever.ainvoke(QUESTION, limit=1)) == documents[:1]


def test_langchains_formatters_bear_a_notice_as_they_bear_a_passage(
    retriever: KnowledgeBaseRetriever, knowledge_base: KnowledgeBase
) -> None:
    documents = retriever.invoke(EMERGENCY)
    assert asyncio.run(retriever.ainvoke(EMERGENCY)) == documents
    notice, *others = documents
    assert others
    assert {frozenset(each.metadata) for each in documents} == {frozenset(notice.metadata)}
    names = "".join(f"{name}={{{name}}} " for name in notice.metadata)
    prompt = PromptTemplate.from_template(f"{names}{{score:.2f}} {{page_content}}")
    for each in documents:
        told = format_document(each, prompt)
        assert told == asyncio.run(aformat_document(each, prompt))
        assert f"article_title={each.metadata['article_title']} " in told
        assert told.endswith(each.page_content)
    assert notice.metadata["article_title"] == knowledge_base.search(EMERGENCY).notices[0].title
    filled = ChatPromptTemplate.from_template("{context}").invoke(
        {"context": "\n\n".join(format_document(each, prompt) for each in documents)}
    )
    assert "emergency number" in str(filled.to_messages()[0].content)


def test_topics_of_several_kinds_are_kept_by_the_retriever(
    index_path: Path, knowledge_base: KnowledgeBase
) -> None:
    several = ["nerves", "-sleep"]
    retriever = KnowledgeBaseRetriever(index=str(index_path), topic=several, nearest=True, limit=5)
    found = [each.page_content for each in retriever.invoke(QUESTION)]
    retriever.close()
    expected = knowledge_base.search(QUESTION, 5, topic=several).results
    assert found == [result.text for result in expected]


def test_what_cannot_be_opened_or_asked_is_refused(index_path: Path) -> None:
    with pytest.raises(IndexMissing):
        KnowledgeBaseRetriever(index=str(index_path / "nothing"))
    with pytest.raises(InvalidRequest, match="either"):
        KnowledgeBaseRetriever()
    with pytest.raises(ValidationError, match="limit"):
        KnowledgeBaseRetriever(index=str(index_path), limit=0)
    retriever = KnowledgeBaseRetriever(url="http://127.0.0.1", api_key="kb_secret")  # type: ignore[arg-type]
    assert "kb_secret" not in repr(retriever)
    retriever.close()


def test_nothing_leaves_the_process_whatever_the_environment_says(
    index_path: Path, what_left: Callable[[str], tuple[str, list[str]]]
) -> None:
    out, left = what_left(f"""
from langsmith.utils import tracing_is_enabled
print(tracing_is_enabled())
from kb.integrations.langchain import KnowledgeBaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.langchain import wait_for_all_tracers
retriever = KnowledgeBaseRetriever(index={str(index_path)!r})
chain = retriever | RunnableLambda(len)
print(chain.invoke({QUESTION!r}), flush=True)
wait_for_all_tracers()
""")
    assert out.split() == ["True", "10"], "by itself LangChain would report"
    assert left == []

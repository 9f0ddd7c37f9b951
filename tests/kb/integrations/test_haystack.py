"""kb.integrations.haystack: in pipelines of the real library"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from haystack import Pipeline
from haystack.components.builders import PromptBuilder
from haystack.components.joiners import DocumentJoiner
from haystack.utils import Secret

from kb.integrations.haystack import KnowledgeBaseRetriever
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import IndexMissing
from support.questions import EMERGENCY, NO_ANSWER, QUESTION

TEMPLATE = "{% for each in documents %}{{ each.content }} [{{ each.meta.url }}]\n{% endfor %}{{ question }}"


@pytest.fixture(params=["folder", "service"])
def retriever(request: pytest.FixtureRequest, index_path: Path) -> KnowledgeBaseRetriever:
    if request.param == "folder":
        made = KnowledgeBaseRetriever(str(index_path), top_k=2)
    else:
        made = KnowledgeBaseRetriever(url=request.getfixturevalue("service_url"), top_k=2)
    request.addfinalizer(made.close)
    return made


def pipeline(retriever: KnowledgeBaseRetriever) -> Pipeline:
    made = Pipeline()
    made.add_component("retriever", retriever)
    made.add_component(
        "prompt", PromptBuilder(TEMPLATE, required_variables=["documents", "question"])
    )
    made.connect("retriever.documents", "prompt.documents")
    return made


def asked(question: str) -> dict[str, dict[str, str]]:
    return {"retriever": {"query": question}, "prompt": {"question": question}}


def test_a_pipeline_puts_the_passages_into_a_prompt(
    retriever: KnowledgeBaseRetriever, knowledge_base: KnowledgeBase
) -> None:
    made = pipeline(retriever)
    results = knowledge_base.search(QUESTION, 2).results
    for told in (made.run(asked(QUESTION)), asyncio.run(made.run_async(asked(QUESTION)))):
        for result in results:
            assert f"{result.text} [" in told["prompt"]["prompt"]
            assert f"{result.citation.url}]" in told["prompt"]["prompt"]


def test_documents_are_the_passages_with_scores_and_citations(
    retriever: KnowledgeBaseRetriever, knowledge_base: KnowledgeBase
) -> None:
    documents = retriever.run(QUESTION)["documents"]
    results = knowledge_base.search(QUESTION, 2).results
    for document, result in zip(documents, results, strict=True):
        assert document.content == result.text
        assert document.score == pytest.approx(result.score, abs=1e-6)
        assert document.meta["section_id"] == result.citation.section_id
    assert retriever.run(QUESTION, top_k=1)["documents"] == documents[:1]
    assert asyncio.run(retriever.run_async(QUESTION))["documents"] == documents
    assert retriever.run(NO_ANSWER) == {"documents": []}


def test_haystacks_templates_bear_a_notice_as_they_bear_a_passage(
    retriever: KnowledgeBaseRetriever, knowledge_base: KnowledgeBase
) -> None:
    documents = retriever.run(EMERGENCY)["documents"]
    assert asyncio.run(retriever.run_async(EMERGENCY))["documents"] == documents
    notice, *others = documents
    assert others
    assert {frozenset(each.meta) for each in documents} == {frozenset(notice.meta)}
    fields = " ".join(f"{name}={{{{ each.meta['{name}'] }}}}" for name in notice.meta)
    template = (
        "{% for each in documents %}"
        f"{fields} {{{{ '%.2f' % each.meta.score }}}} {{{{ each.meta.article_title|upper }}}}\n"
        "{% endfor %}"
    )
    told = PromptBuilder(template, required_variables=["documents"]).run(documents=documents)
    lines = told["prompt"].splitlines()
    assert len(lines) == len(documents)
    title = knowledge_base.search(EMERGENCY).notices[0].title
    assert f"article_title={title} section_id= section_heading= url=https://" in lines[0]
    assert lines[0].endswith(f"1.00 {title.upper()}")
    for line, each in zip(lines, documents, strict=True):
        for name, value in each.meta.items():
            assert f"{name}={value}" in line
    ranked = DocumentJoiner(join_mode="merge").run(documents=[documents[::-1]])["documents"]
    assert ranked[0].id == notice.id, "what sorts by score keeps a notice first"


def test_a_saved_pipeline_is_the_same_again_and_keeps_no_key(
    index_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_API_KEY", "kb_secret")
    saved = pipeline(
        KnowledgeBaseRetriever(
            str(index_path),
            api_key=Secret.from_env_var("KB_API_KEY"),
            top_k=3,
            topic=["sleep", "-children"],
        )
    ).dumps()
    assert "kb_secret" not in saved
    again = Pipeline.loads(saved, allowed_modules=["kb.integrations.haystack"])
    assert again.dumps() == saved
    restored = again.get_component("retriever")
    found = restored.run(QUESTION)["documents"]
    restored.close()
    assert len(found) == 3


def test_what_cannot_be_opened_is_refused_when_it_is_warmed_up(index_path: Path) -> None:
    with pytest.raises(IndexMissing):
        KnowledgeBaseRetriever(str(index_path / "nothing")).warm_up()


RUN = """
pipeline = Pipeline()
pipeline.add_component("retriever", Retriever({index!r}))
print(len(pipeline.run({{"retriever": {{"query": {question!r}}}}})["retriever"]["documents"]))
"""
OWN = "from kb.integrations.haystack import KnowledgeBaseRetriever as Retriever\n"
PIPELINE = "from haystack import Pipeline\n"
ON = "from haystack.telemetry import _telemetry\nprint(_telemetry.telemetry is not None)\n"


@pytest.mark.parametrize("order", ["first", "second"])
def test_nothing_leaves_the_process_whatever_the_environment_says(
    index_path: Path,
    tmp_path: Path,
    what_left: Callable[[str], tuple[str, list[str]]],
    order: str,
) -> None:
    check = "from haystack.tracing.tracer import tracer\nprint(tracer.is_content_tracing_enabled)"
    run = RUN.format(index=str(index_path), question=QUESTION) + check
    if order == "first":
        out, left = what_left(OWN + PIPELINE + run)
        assert out.split() == ["10", "False"]
        assert left == []
        assert list(tmp_path.rglob("*.yaml")) == [], "it keeps no id of this machine either"
    else:
        out, left = what_left(PIPELINE + ON + OWN + run)
        assert out.split() == ["True", "10", "False"], "by itself Haystack would report"
        assert not any("socket" in line for line in left)

"""kb.evaluation.measures"""

from __future__ import annotations

import json
import math
from pathlib import Path

import ir_measures
import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from kb.evaluation import runs
from kb.evaluation.measures import (
    Scored,
    Topic,
    VerdictCount,
    count_verdicts,
    evaluate,
    read_qrels,
    read_topics,
    run_topics,
    write_run,
)
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import KbError


def ranked(topic: str, *units: str) -> list[Scored]:
    return [Scored(topic, unit, 1 - place / 100) for place, unit in enumerate(units)]


def judged(topic: str, **grades: int) -> list[object]:
    return [ir_measures.Qrel(topic, unit, grade) for unit, grade in grades.items()]


def test_the_measures_are_those_worked_out_by_hand() -> None:
    """One topic; at ranks 1 to 4: unjudged, grade 1, grade 0, grade 2; a unit of grade 2 is not found."""
    result = evaluate(ranked("q", "x", "a", "b", "c"), judged("q", a=1, b=0, c=2, d=2))
    ideal = 2 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)
    assert result.topics == 1
    assert result.means == {
        "nDCG@10": pytest.approx((1 / math.log2(3) + 2 / math.log2(5)) / ideal, abs=1e-4),
        # without the unjudged x everything else stands one rank higher
        "nDCG(judged_only=True)@10": pytest.approx(
            (1 / math.log2(2) + 2 / math.log2(4)) / ideal, abs=1e-4
        ),
        "R@100": pytest.approx(2 / 3, abs=1e-4),
        "RR(rel=2)@10": pytest.approx(1 / 4, abs=1e-4),
        "P(rel=2)@1": 0.0,
    }


def test_a_judged_topic_that_was_not_run_counts_nothing_and_an_unjudged_one_not_at_all() -> None:
    run = [*ranked("q1", "a"), *ranked("never judged", "a")]
    result = evaluate(run, [*judged("q1", a=2), *judged("q2", a=2)])
    assert result.topics == 2
    assert result.means["nDCG@10"] == pytest.approx((1 + 0) / 2)
    assert result.means["P(rel=2)@1"] == pytest.approx((1 + 0) / 2)
    assert "never judged" not in result.by_topic
    assert result.by_topic["q1"]["nDCG@10"] == pytest.approx(1)
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    assert list(result.to_dict()) == ["topics", "measures", "by_topic"]


def test_a_run_is_written_in_trecs_form_and_read_back_by_ir_measures(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run = [*ranked("q1", "a#top", "b"), *ranked("q2", "c")]
    write_run(path, run, "kb")
    assert path.read_text().splitlines() == [
        "q1 Q0 a#top 1 1.000000000 kb",
        "q1 Q0 b 2 0.990000000 kb",
        "q2 Q0 c 1 1.000000000 kb",
    ]
    assert [(line.query_id, line.doc_id) for line in ir_measures.read_trec_run(str(path))] == [
        ("q1", "a#top"),
        ("q1", "b"),
        ("q2", "c"),
    ]


def test_topics_are_read_from_the_field_asked_for_and_empty_ones_left_out(tmp_path: Path) -> None:
    path = tmp_path / "topics.jsonl"
    path.write_text(
        '{"id": 1, "text": "legs\u2028jerk", "lay": "jumpy"}\n\n{"id": "2", "text": "x", "lay": " "}\n',
        encoding="utf-8",
    )
    assert read_topics(path) == [Topic("1", "legs\u2028jerk"), Topic("2", "x")]
    assert read_topics(path, "lay") == [Topic("1", "jumpy")]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b'{"id": "1", "text": "x"}\n{"id": "2", "lay": "x"}', ":2: the topic has no 'text'. Name"),
        (b'\n\n{"text": "x"}', ":3: the topic has no 'id'."),
        (b'{"id": "1", "text": "sore legs}', ":1: not JSON, from character 21 on."),
        (b"7" * 5000, ":1: not JSON."),
        (b"[" * 200_000, ":1: not JSON."),
        (b"[1]", ":1: not an object."),
        (b'{"id": "1", "text": 7}', ":1: 'text' is not a text"),
        (b'{"id": "1", "text": ""}', "no topic has a text in 'text'"),
        (b"", "no topic has a text"),
        (b'{"id": "1", "text": "\xff"}', "not UTF-8"),
    ],
)
def test_bad_topics_are_named_by_file_and_line(tmp_path: Path, content: bytes, part: str) -> None:
    path = tmp_path / "topics.jsonl"
    path.write_bytes(content)
    with pytest.raises(KbError) as caught:
        read_topics(path)
    assert str(path) in str(caught.value)
    assert part in str(caught.value)
    assert "sore legs" not in str(caught.value)
    assert "Error" not in str(caught.value)


def test_judgments_are_read(tmp_path: Path) -> None:
    path = tmp_path / "qrels"
    path.write_text("q1 0 a#top 2\n\nq1\t0\tb\t-1\n")
    assert read_qrels(path) == [ir_measures.Qrel("q1", "a#top", 2), ir_measures.Qrel("q1", "b", -1)]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"q1 0 a 1\nq1 a 1", ":2: not a judgment"),
        (b"q1 0 a high", ":1: not a judgment"),
        (b"q1 0 a 1 x", ":1: not a judgment"),
        (b"", "no judgment"),
        (b"q1 0 \xff 1", "not UTF-8"),
    ],
)
def test_bad_judgments_are_named_by_file_and_line(
    tmp_path: Path, content: bytes, part: str
) -> None:
    path = tmp_path / "qrels"
    path.write_bytes(content)
    with pytest.raises(KbError) as caught:
        read_qrels(path)
    assert str(path) in str(caught.value)
    assert part in str(caught.value)


def test_a_run_of_topics_is_the_knowledge_bases_ranking(knowledge_base: KnowledgeBase) -> None:
    steps = []
    topics = [Topic("q1", "sore gums"), Topic("q2", "jerking legs")]
    run = list(run_topics(knowledge_base, topics, "section", 3, lambda: steps.append(1)))
    assert len(steps) == 2
    assert [line.topic for line in run] == ["q1"] * 3 + ["q2"] * 3
    assert [(line.unit, line.score) for line in run[:3]] == runs.run(
        knowledge_base, "sore gums", "section", 3
    )
    assert all("#" in line.unit for line in run)


def test_a_section_id_that_several_articles_have_goes_with_its_article(
    index_copy: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "articles.jsonl"
    sections = [
        {"id": name, "heading": name, "level": 2, "text": f"What {name} says of sore gums."}
        for name in ("causes", "own")
    ]
    corpus.write_text(
        "\n".join(
            json.dumps({"id": each, "title": f"Sore gums {each}", "sections": kept})
            for each, kept in (("a", sections), ("b", sections[:1]))
        )
    )
    build(BuildRequest(index_copy, [corpus], replace=True))
    with KnowledgeBase.open(index_copy) as opened:
        assert {unit for unit, _ in runs.run(opened, "sore gums", "section")} == {
            "a#causes",
            "b#causes",
            "own",
        }


def test_verdicts_are_counted_with_those_whose_first_unit_answers(
    knowledge_base: KnowledgeBase,
) -> None:
    """Two questions with judgments, one of which is answered by what was judged; and one without any."""
    topics = [
        Topic("right", "why do my legs jerk when I fall asleep"),
        Topic("wrong", "what are hypnic jerks"),
        Topic("unjudged", "restless legs"),
    ]
    first = runs.run(knowledge_base, topics[0].text, depth=1)[0][0]
    judgments = [ir_measures.Qrel("right", first, 2), ir_measures.Qrel("wrong", "elsewhere#top", 2)]
    result = evaluate(run_topics(knowledge_base, topics, "section", 5), judgments)
    counts = count_verdicts(knowledge_base, topics, result, judgments)
    expected: dict[str, VerdictCount] = {}
    for topic, right in zip(topics[:2], (1, 0), strict=True):
        verdict = knowledge_base.search(topic.text).answered
        before = expected.get(verdict, VerdictCount(0, 0))
        expected[verdict] = VerdictCount(before.topics + 1, before.right + right)
    assert counts == expected

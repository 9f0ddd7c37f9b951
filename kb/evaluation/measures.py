"""Topics, relevance judgments, runs, and the measures of a run.

ir-measures computes the measures. Judgments are rarely complete, so nDCG@10 is given twice: with unjudged units as not
relevant, and with unjudged units removed from the run (Sakai, "Alternatives to Bpref", SIGIR 2007).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.evaluation import runs
from kb.knowledge_base import MAX_QUESTION_CHARS, KnowledgeBase
from kb.schema.errors import KbError
from kb.schema.results import Answered
from kb.schema.search_request import Unit


@dataclass(frozen=True, slots=True)
class Topic:
    """A judged question."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Scored:
    """One line of a run: a unit's id and its score for a topic."""

    topic: str
    unit: str
    score: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The mean of each measure over the judged topics, and each topic's own values."""

    topics: int
    means: dict[str, float]
    by_topic: dict[str, dict[str, float]]
    run: tuple[Scored, ...]

    def gains_over(self, other: Evaluation, measure: str) -> NDArray[np.float64]:
        """By how much each topic's value is above that of the other evaluation, of the same topics: (topics,)."""
        return np.array(
            [
                values[measure] - other.by_topic[topic][measure]
                for topic, values in self.by_topic.items()
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; the run is left out."""
        return {"topics": self.topics, "measures": self.means, "by_topic": self.by_topic}


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, numbered from 1."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise KbError(f"{path}: is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    # Not splitlines(): a text in JSON may hold other line separators.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _topic(place: str, line: str, field: str) -> Topic:
    """The topic of a line; its text may be anything as yet. Raises KbError, which never holds the line's own words."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        at = (
            f", from character {error.pos + 1} on"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise KbError(
            f"{place}: not JSON{at}. Write one object with 'id' and {field!r} a line."
        ) from error
    if not isinstance(entry, dict):
        raise KbError(f"{place}: not an object. Write one with 'id' and {field!r}.")
    if "id" not in entry:
        raise KbError(f"{place}: the topic has no 'id'. Give it one.")
    if field not in entry:
        raise KbError(f"{place}: the topic has no {field!r}. Name another field with --field.")
    return Topic(str(entry["id"]), entry[field])


def read_topics(path: Path, field: str = "text") -> list[Topic]:
    """Topics from JSON lines with `id` and the given field; those whose field is empty are left out.

    Raises KbError naming the line, OSError where the file cannot be read.
    """
    topics = []
    seen: set[str] = set()
    for number, line in _lines(path):
        topic = _topic(f"{path}:{number}", line, field)
        if not isinstance(topic.text, str):
            raise KbError(f"{path}:{number}: {field!r} is not a text.")
        if not topic.text.strip():
            continue
        if len(topic.id.split()) != 1:
            raise KbError(f"{path}:{number}: the id {topic.id!r} is blank or holds white space.")
        if topic.id in seen:
            raise KbError(f"{path}:{number}: the id {topic.id!r} stands here a second time.")
        if len(topic.text) > MAX_QUESTION_CHARS:
            raise KbError(
                f"{path}:{number}: {field!r} is {len(topic.text):,} characters long; a question has at most "
                f"{MAX_QUESTION_CHARS:,}. Shorten it, or name another field with --field."
            )
        seen.add(topic.id)
        topics.append(topic)
    if not topics:
        raise KbError(f"{path}: no topic has a text in {field!r}. Name another field with --field.")
    return topics


def read_qrels(path: Path) -> list[Any]:
    """TREC relevance judgments: `topic 0 unit grade` a line. Raises KbError naming the line."""
    import ir_measures  # noqa: PLC0415  (a second to import)

    judgments = []
    for number, line in _lines(path):
        try:
            topic, _, unit, grade = line.split()
            judgments.append(ir_measures.Qrel(topic, unit, int(grade)))
        except ValueError as error:
            raise KbError(
                f"{path}:{number}: not a judgment of the form 'topic 0 unit grade'."
            ) from error
    if not judgments:
        raise KbError(f"{path}: holds no judgment.")
    return judgments


def run_topics(
    knowledge_base: KnowledgeBase,
    topics: Iterable[Topic],
    unit: Unit,
    depth: int,
    advance: Callable[[], None] = lambda: None,
) -> Iterator[Scored]:
    """The run of all topics, best first, `depth` units each."""
    for topic in topics:
        for unit_id, score in runs.run(knowledge_base, topic.text, unit, depth):
            yield Scored(topic.id, unit_id, score)
        advance()


def evaluate(run: Iterable[Scored], qrels: Iterable[Any]) -> Evaluation:
    """Measure a run. Topics that were judged but not run count 0; topics never judged are left out.

    Grade 2 and more is an answer to RR and P, or grade 1 where judgments know no higher one.
    """
    import ir_measures  # noqa: PLC0415  (a second to import)

    lines = tuple(run)
    judgments = list(qrels)
    highest = max(judgment.relevance for judgment in judgments)
    grade = min(2, highest)
    ndcg, reciprocal, precision = ir_measures.nDCG, ir_measures.RR, ir_measures.P
    measures = (  # made here, since ir_measures' parser of their names needs a Python before 3.14
        ndcg @ 10,
        ndcg(judged_only=True) @ 10,
        ir_measures.R @ 100,
        reciprocal(rel=grade) @ 10,
        precision(rel=grade) @ 1,
    )
    scored = [ir_measures.ScoredDoc(line.topic, line.unit, line.score) for line in lines]
    by_topic: dict[str, dict[str, float]] = {}
    for metric in ir_measures.iter_calc(measures, judgments, scored):
        by_topic.setdefault(metric.query_id, {})[str(metric.measure)] = metric.value
    judged = {judgment.query_id for judgment in judgments}
    means = {
        str(measure): sum(values.get(str(measure), 0.0) for values in by_topic.values())
        / len(judged)
        for measure in measures
    }
    return Evaluation(len(judged), means, by_topic, lines)


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """Number of judged topics with one verdict, and of those whose first unit was judged an answer."""

    topics: int
    right: int


def count_verdicts(
    knowledge_base: KnowledgeBase,
    topics: Iterable[Topic],
    result: Evaluation,
    qrels: Iterable[Any],
    advance: Callable[[], None] = lambda: None,
) -> dict[Answered, VerdictCount]:
    """How often each verdict is right. `result` is the evaluation of these topics; grades count as in `evaluate`.

    Topics that have no judgment are left out.
    """
    grades: dict[str, dict[str, int]] = {}
    for judgment in qrels:
        grades.setdefault(judgment.query_id, {})[judgment.doc_id] = judgment.relevance
    grade = min(2, max(max(units.values()) for units in grades.values()))
    first: dict[str, str] = {}
    for line in result.run:
        first.setdefault(line.topic, line.unit)
    counts: dict[Answered, VerdictCount] = {}
    for topic in topics:
        if topic.id in grades:
            answered = knowledge_base.search(topic.text, limit=1).answered
            before = counts.get(answered, VerdictCount(0, 0))
            is_right = grades[topic.id].get(first.get(topic.id, ""), 0) >= max(grade, 1)
            counts[answered] = VerdictCount(before.topics + 1, before.right + is_right)
        advance()
    return counts


def finds_none(result: Evaluation, qrels: Iterable[Any]) -> bool:
    """Whether no unit that was judged relevant stands anywhere in the run, as where ids are of another library."""
    found = {(line.topic, line.unit) for line in result.run}
    return not any(
        (judgment.query_id, judgment.doc_id) in found
        for judgment in qrels
        if judgment.relevance > 0
    )


def write_run(path: Path, run: Iterable[Scored], tag: str) -> None:
    """Write a run in TREC's form: `topic Q0 unit rank score tag`."""
    rank, topic = 0, None
    with path.open("w", encoding="utf-8") as file:
        for line in run:
            rank = rank + 1 if line.topic == topic else 1
            topic = line.topic
            file.write(f"{line.topic} Q0 {line.unit} {rank} {line.score:.9f} {tag}\n")

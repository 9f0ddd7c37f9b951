"""The judged collections of the suite: where their articles and questions are, and how they are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suite import damage
from benchmarks.suite.damage import Articles
from kb.evaluation.measures import read_topics
from kb.schema.search_request import Unit

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT.parent / "shared" / "data"
OWN = ROOT / "tests" / "quality"
FRESH = ROOT.parent / "shared" / "questions" / "fresh.jsonl"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the grade, above 0, of each unit that answers it. Other units may have been judged 0."""

    id: str
    text: str
    grades: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Collection:
    """Questions over a corpus. `library` names the index; collections over the same corpus share one.

    `answer_grade` is the least grade of a unit that answers. With `change` the corpus is a damaged copy.
    """

    name: str
    library: str
    corpus: Path
    questions: Callable[[], list[Question]]
    unit: Unit = "section"
    answer_grade: int = 1
    change: Callable[[Articles], Articles] | None = None


def judged(folder: Path, split: str = "", field: str = "text") -> Callable[[], list[Question]]:
    """Reads topics and TREC judgments of a folder of DATA."""

    def read() -> list[Question]:
        grades: dict[str, dict[str, int]] = {}
        for line in (folder / f"qrels{split}.txt").read_text().splitlines():
            topic, _, unit, grade = line.split()
            grades.setdefault(topic, {})[unit] = int(grade)
        topics = read_topics(folder / f"topics{split}.jsonl", field)
        return [Question(topic.id, topic.text, grades.get(topic.id, {})) for topic in topics]

    return read


def own(*names: str) -> Callable[[], list[Question]]:
    """Reads this project's own questions over corpus/."""

    def read() -> list[Question]:
        return [
            Question(f"{name}-{entry['id']}", entry["text"], dict.fromkeys(entry["sections"], 1))
            for name in names
            for entry in _lines(OWN / f"{name}.jsonl")
        ]

    return read


def fresh() -> list[Question]:
    """Questions over corpus/ by somebody who had read the articles and nothing else."""
    return [
        Question(str(number), entry["q"], entry["good"])
        for number, entry in enumerate(_lines(FRESH))
        if entry["expect"] == "answer"
    ]


def collections() -> list[Collection]:
    """All collections whose files are here."""
    medquad = DATA / "medquad" / "articles.jsonl.gz"
    summaries = judged(DATA / "medquad", ".dev", "summary")
    found = [
        Collection("tests/quality", "own", ROOT / "corpus", own(*OWN_SETS)),
        Collection("fresh questions over corpus/", "own", ROOT / "corpus", fresh, answer_grade=2),
        Collection("MedQuAD, summary", "medquad", medquad, summaries, answer_grade=2),
        Collection(
            *("MedQuAD, message", "medquad", medquad),
            judged(DATA / "medquad", ".dev", "message"),
            answer_grade=2,
        ),
    ]
    for name, folder, split, unit in OTHERS:
        corpus = DATA / folder / "articles.jsonl.gz"
        found.append(Collection(name, folder, corpus, judged(DATA / folder, split), unit))
    found += [
        Collection(
            f"part of MedQuAD, {name}", "medquad-part", medquad, summaries, "section", 2, change
        )
        for name, change in damage.CHANGES.items()
    ]
    return [each for each in found if each.corpus.exists() and _is_there(each)]


OWN_SETS = ("questions", "riddles", "readers", "kinds")
OTHERS: tuple[tuple[str, str, str, Unit], ...] = (
    ("SleepQA", "sleepqa", ".dev", "section"),
    ("SQuADShifts", "squadshift_wiki", "", "section"),
    ("COVID-QA", "covidqa", ".dev", "section"),
    ("Cranfield", "cranfield", "", "article"),
    ("Medlars", "medlars", "", "article"),
)


def _is_there(collection: Collection) -> bool:
    return collection.questions is not fresh or FRESH.exists()


def _lines(path: Path) -> Iterator[dict[str, object]]:
    return map(json.loads, path.read_text(encoding="utf-8").splitlines())

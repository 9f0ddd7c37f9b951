"""Scores of sections that say when to seek care, and of the questions that ask for one.

Publishers head these sections in any words: "When to Contact a Medical Professional", "Red Flags: Get Help at Once",
"Sores That Call for an Appointment". So a heading is compared in meaning with what such sections are called, and
heading and opening together with how they begin; the sum of the two best cosines is kept. Neither the title nor the
rest of the text is compared so, or the subject would drown what is said about it.

"Symptoms" is near to all of that too, and a list of symptoms that stood under "When to seek care" would mislead. So an
English section counts only if its own words tell a reader to turn to somebody ("check with your doctor").

Whether a question is about a symptom, the direction tells that leads from the mean of some questions about subjects
to the mean of some about symptoms. Of the 60 in tests/quality/companions.jsonl, written apart, it parts 57.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.batches import Choose, EmbeddingCache, embed_into
from indexer.embedding.vector_rows import Rows
from indexer.passages.executor import Executor
from indexer.passages.texts import Library
from kb.answering.care_companion import MIN_CARE_SCORE

CARE_HEADINGS = (
    "When to see a doctor",
    "When to contact a medical professional",
    "When to get medical help",
    "When to seek care",
    "Do I need to see a doctor?",
    "When to call for emergency help",
    "Warning signs that need a doctor",
    "Red flags: get help at once",
)

CARE_OPENINGS = (
    "When to see a doctor: see your doctor if the symptoms are severe, get worse or do not go away.",
    "When to contact a medical professional: call your health care provider if you have these symptoms.",
    "Get emergency medical help right away if you have any of these warning signs.",
    "When to get help: talk to a doctor if it lasts more than a few weeks or worries you.",
)


SYMPTOM_QUESTIONS = (
    "I have pain and it will not go away, what is wrong with me?",
    "my leg hurts and feels numb",
    "why do I keep getting this twitching, is it serious?",
    "I feel dizzy and my heart is racing",
    "it is swollen, red and sore, should I worry?",
    "I wake up with cramps every night",
    "she has a rash and a fever",
)

SUBJECT_QUESTIONS = (
    "what is it and how does it work?",
    "how to do it step by step",
    "what are the types and parts of it?",
    "how is it measured and what is a normal value?",
    "how to clean and look after it",
    "who discovered it and when?",
    "what foods contain it?",
    "how does the test work?",
)

_TURNING = (
    "see|seen|call|contact|speak|talk|ask|visit|go|get|seek|tell|consult|book|arrange|make|needs?"
    "|check(?:ed)?"
)
_HELP = (
    "doctors?|physicians?|GP|nurses?|midwife|pharmacists?|dentists?|clinics?|clinicians?|hospitals?"
    "|ambulance|emergency|providers?|specialists?|professionals?|paramedics?"
    "|medical (?:help|care|attention|advice|treatment)|urgent (?:help|care)|appointment|visit|911|999|112"
)
_GAP = r"[^\w.!?]+"
_ADVICE = re.compile(rf"\b(?:{_TURNING})\b(?:{_GAP}\w+){{0,6}}?{_GAP}(?:{_HELP})\b", re.IGNORECASE)
"""A word for turning to somebody and, at most seven words on in the same sentence, one for whom."""


def advises(text: str) -> bool:
    """Whether an English text tells its reader to turn to a doctor or the like."""
    return _ADVICE.search(text) is not None


class _Nearest:
    """Rows that keep of each vector only the best cosine with some examples, and pass it on."""

    def __init__(self, count: int, examples: NDArray[np.float32], on: Rows) -> None:
        self.cosines = np.zeros(count, dtype=np.float32)
        self._examples = examples
        self._on = on

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        self.cosines[row] = (self._examples @ vector).max()
        self._on[row] = vector

    def save(self) -> None:
        """Nothing to write."""


class _Rows:
    """Rows that are kept in memory."""

    def __init__(self, count: int, dimensions: int) -> None:
        self.vectors = np.zeros((count, dimensions), dtype=np.float32)

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        self.vectors[row] = vector

    def save(self) -> None:
        """Nothing to write."""


def write_care_scores(
    folder: Path,
    library: Library,
    choose: Choose,
    cache: EmbeddingCache,
    also: Rows,
    advance: Callable[[int], None],
    executor: Executor,
) -> int:
    """Write what kb.answering.care_companion reads; how many texts had to be embedded.

    `also` is given the vector of each section's heading, and then that of heading and opening.
    """
    count = library.section_count
    lengths = library.opening_lengths
    embedded = 0
    scores = np.zeros(count, dtype=np.float32)
    for examples, text_at in ((CARE_HEADINGS, library.heading), (CARE_OPENINGS, library.opening)):
        rows = _Nearest(count, _vectors(examples if count else (), choose, cache, executor), also)
        embedded += embed_into(rows, text_at, lengths, choose, cache, advance, executor)
        scores += rows.cosines
    for section in map(int, np.flatnonzero(scores >= MIN_CARE_SCORE)):
        if library.is_english(section) and not advises(library.heading_and_text(section)):
            scores[section] = 0.0
    np.save(folder / "care.npy", scores, allow_pickle=False)
    if count:
        symptom = _unit(_vectors(SYMPTOM_QUESTIONS, choose, cache, executor)) - _unit(
            _vectors(SUBJECT_QUESTIONS, choose, cache, executor)
        )
    else:
        symptom = np.zeros(cache.dimensions, dtype=np.float32)
    np.save(folder / "symptom.npy", symptom, allow_pickle=False)
    return embedded


def _vectors(
    texts: Sequence[str],
    choose: Choose,
    cache: EmbeddingCache,
    executor: Executor,
) -> NDArray[np.float32]:
    """The vectors of examples, (n, d), from the cache where they are there."""
    rows = _Rows(len(texts), cache.dimensions)
    lengths = [len(text) // 4 for text in texts]
    embed_into(rows, texts, lengths, choose, cache, lambda _: None, executor)
    return rows.vectors


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)

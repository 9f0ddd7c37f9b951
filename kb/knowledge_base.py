"""Given a question, ranked passages with citations.

Opening an index checks it and maps it; answering opens no file, takes no lock but a short one around the look-up of
text, and needs no torch.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from kb import analysis, confidence, tuning
from kb.article import Article, ArticleSummary, article_path
from kb.encoder import Encoder
from kb.errors import IndexDamaged, InvalidRequest, NotFound
from kb.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.generation import Verify, open_generation
from kb.names import NameIndex
from kb.passage import Passage
from kb.postings import Postings
from kb.question import MAX_QUESTION_CHARS, Condition, parse_question
from kb.ranking import Ranker, Ranking, Unit
from kb.results import Answered, Citation, SearchResponse, SearchResult
from kb.snippet import excerpt
from kb.store import FILE as STORE
from kb.store import ArticleStore
from kb.vectors import VectorIndex

if TYPE_CHECKING:
    from kb.keyword import KeywordIndex

__all__ = ["MAX_DEPTH", "MAX_LIMIT", "MAX_QUESTION_CHARS", "KnowledgeBase"]

MAX_LIMIT = 100
MAX_DEPTH = 1000


class Stopwatch:
    """Milliseconds by step: each `lap` is the time since the one before."""

    def __init__(self) -> None:
        self._begun = self._last = time.perf_counter()
        self.timings: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """Record the step that ends now."""
        now = time.perf_counter()
        self.timings[step] = round((now - self._last) * 1000, 3)
        self._last = now

    def total(self) -> dict[str, float]:
        """All steps and their sum, `total`."""
        return {**self.timings, "total": round((self._last - self._begun) * 1000, 3)}


class KnowledgeBase:
    """One generation of an index, open for questions. Safe to share between threads.

    It goes on answering from the generation it opened; open another to see what was published since.
    """

    def __init__(
        self, index: Path, verify: Verify, base_url: str, weights: FusionWeights | None
    ) -> None:
        self.path = index
        self._base_url = base_url.rstrip("/")
        tuned = tuning.load(index) if weights is None else None
        folder, self.manifest, lease = open_generation(index, verify)
        self._folder = folder
        if tuned is not None and tuned.mismatch(self.manifest) is None:
            weights = tuned.weights
        self.weights = weights or DEFAULT_WEIGHTS
        opened = ExitStack()
        opened.callback(lease.release)
        try:
            self._store = ArticleStore(folder / STORE)
            opened.callback(self._store.close)
            self._encoder = Encoder(folder / "encoder")
            self._passages = np.load(
                folder / "passages.npy", mmap_mode="r", allow_pickle=False
            ).view(np.ndarray)
            self._sentences = np.load(
                folder / "sentences.npy", mmap_mode="r", allow_pickle=False
            ).view(np.ndarray)
            postings = Postings(folder / "postings")
            self._ranker = Ranker(
                postings,
                VectorIndex(folder / "vectors"),
                NameIndex(folder / "names", postings.idf_of_rarest),
                self._passages,
                self.weights,
            )
        except Exception as error:
            opened.close()
            raise IndexDamaged(
                f"{folder}: cannot be opened ({type(error).__name__}: {error}). "
                "Run `kb build` to make the index anew."
            ) from error
        self._opened = opened
        self._keyword: KeywordIndex | None = None
        self._keyword_lock = threading.Lock()

    @classmethod
    def open(
        cls,
        path: str | Path = "index",
        *,
        verify: Verify = "quick",
        base_url: str = "",
        weights: FusionWeights | None = None,
    ) -> KnowledgeBase:
        """Open the live generation of the index in `path`.

        `verify` "quick" takes a fraction of a second; "full" hashes every file. `base_url` is put before the
        path in citations. `weights` says how much each ranker counts; None takes those that `kb tune` stored, where
        they hold for the generation, else the shipped ones. Raises the kinds of kb.errors.IndexUnusable.
        """
        return cls(Path(path), verify, base_url, weights)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the generation go, so that it may be deleted. Call it once no search is running."""
        self._opened.close()

    @property
    def generation(self) -> str:
        """The id of the generation that answers."""
        return self._folder.name

    @property
    def article_count(self) -> int:
        """How many articles there are."""
        return self.manifest.counts.articles

    @property
    def section_count(self) -> int:
        """How many sections there are."""
        return self.manifest.counts.sections

    @property
    def passage_count(self) -> int:
        """How many passages there are."""
        return self.manifest.counts.passages

    def article(self, article_id: str) -> Article:
        """The article of that id, whole. Raises NotFound."""
        article = self._store.article_by_id(article_id)
        if article is None:
            raise NotFound(f"There is no article {article_id!r}.")
        return article

    def articles(self, limit: int = 100, offset: int = 0) -> list[ArticleSummary]:
        """Articles by title. `limit` at least 1, `offset` at least 0, else InvalidRequest."""
        if limit < 1:
            raise InvalidRequest("limit", f"limit is {limit}; it must be at least 1.")
        if offset < 0:
            raise InvalidRequest("offset", f"offset is {offset}; it must be at least 0.")
        return self._store.summaries(limit, offset)

    def related(self, article: Article) -> list[ArticleSummary]:
        """Those of the articles named as related, by id or title, that are here; each once, in order."""
        found = (self._store.find_summary(name) for name in article.related)
        by_id = {summary.id: summary for summary in found if summary and summary.id != article.id}
        return list(by_id.values())

    def search(self, question: str, limit: int = 10, offset: int = 0) -> SearchResponse:
        """Answer a question: `limit` sections (1 to 100), best first, from place `offset` on.

        `offset + limit` is at most 1,000; a question at most 4,000 characters. Raises InvalidRequest, which names
        the parameter. kb.question describes the operators that a question may hold.
        """
        _check_page(limit, offset)
        parsed = parse_question(question)
        watch = Stopwatch()
        terms = analysis.terms(parsed.text)
        mask = self._matching(parsed.conditions)
        watch.lap("analyse")
        vector = self._encode(parsed.text)
        watch.lap("encode")
        ranking = self._ranker.rank(terms, vector, mask)
        order = ranking.best_of_each("section")
        watch.lap("rank")
        verdict = self._verdict(ranking, order)
        page = [
            self._result(ranking, int(place), rank)
            for rank, place in enumerate(order[offset : offset + limit], start=offset + 1)
        ]
        watch.lap("cite")
        # A command line can hold bytes that are not UTF-8; an answer can always be printed.
        asked = question.encode(errors="replace").decode()
        return SearchResponse(asked, verdict, tuple(page), self.generation, watch.total())

    def run(
        self, question: str, unit: Unit = "section", depth: int = MAX_DEPTH
    ) -> list[tuple[str, float]]:
        """The ids of the best units with their scores, best first, at most `depth`: a run for evaluation.

        A unit's id is the article's; or the section's as the collection gave it, else `article#section`; or the
        passage's. `depth` is from 1 to 1,000, else InvalidRequest.
        """
        if not 1 <= depth <= MAX_DEPTH:
            raise InvalidRequest("depth", f"depth is {depth}; it must be from 1 to {MAX_DEPTH:,}.")
        ranking = self.rank(question)
        return [
            (self.unit_id(int(ranking.rows[place]), unit), float(ranking.scores[place]))
            for place in ranking.best_of_each(unit)[:depth]
        ]

    def rank(self, question: str) -> Ranking:
        """All candidates of a question with their signals and scores. Raises InvalidRequest."""
        parsed = parse_question(question)
        terms = analysis.terms(parsed.text)
        vector = self._encode(parsed.text)
        return self._ranker.rank(terms, vector, self._matching(parsed.conditions))

    def _encode(self, text: str) -> NDArray[np.float32]:
        """The question's vector; that of a question of nothing but excluded words is near to nothing."""
        if not text:
            return np.zeros(self.manifest.model.dimensions, dtype=np.float32)
        return self._encoder.encode_question(text)

    def _matching(self, conditions: tuple[Condition, ...]) -> NDArray[np.bool_] | None:
        if not conditions:
            return None
        with self._keyword_lock:
            if self._keyword is None:
                from kb.keyword import KeywordIndex  # noqa: PLC0415  (plain questions need no index of Whoosh's)

                self._keyword = KeywordIndex(self._folder / "keyword", self.passage_count)
        return self._keyword.matching(conditions)

    def unit_id(self, row: int, unit: Unit) -> str:
        """The id, as in `run`, of the unit that the passage with the ordinal `row` belongs to."""
        entry = self._passages[row]
        article = self._store.article_head(int(entry["article"]))
        if unit == "article":
            return article.id
        section = self._store.section(int(entry["section"]))
        if unit == "section":
            return section.id if article.section_ids_given else f"{article.id}#{section.id}"
        return Passage(
            article.id, section.id, int(entry["start"]), int(entry["end"]), int(entry["tokens"])
        ).id

    def _verdict(self, ranking: Ranking, order: NDArray[np.int64]) -> Answered:
        if not len(order):
            return "none"
        place = int(order[0])
        return confidence.answered(
            confidence.evidence(float(ranking.signals.dense[place]), ranking.coverage(place))
        )

    def _answer(self, ranking: Ranking, place: int) -> tuple[int, int]:
        """The sentence of a candidate that comes nearest to the question, as a range of its section."""
        row = self._ranker.sentence_row(ranking, place)
        return int(self._sentences[row]["start"]), int(self._sentences[row]["end"])

    def _result(self, ranking: Ranking, place: int, rank: int) -> SearchResult:
        row = int(ranking.rows[place])
        entry = self._passages[row]
        article = self._store.article_head(int(entry["article"]))
        section = self._store.section(int(entry["section"]))
        start, end = int(entry["start"]), int(entry["end"])
        text = section.text[start:end]
        if len(text) != end - start or not text.strip():
            raise IndexDamaged(
                f"{self._folder}: the passage {article.id}#{section.id}@{start} is not in its section. "
                "Run `kb build` to make the index anew."
            )
        wanted = {found.term: found.idf for found in ranking.keyword.matched}
        snippet, highlights = excerpt(
            section.text, start, end, wanted, article.language, self._answer(ranking, place)
        )
        citation = Citation(
            article_id=article.id,
            article_title=article.display_title,
            section_id=section.id,
            section_heading=section.heading,
            url=self._base_url + article_path(article.id, section.id),
            source_url=article.url,
            quote=text,
            start=start,
            end=end,
        )
        return SearchResult(
            rank=rank,
            score=float(ranking.scores[place]),
            text=text,
            snippet=snippet,
            highlights=highlights,
            citation=citation,
            explanation=ranking.explain(place, (article.title, *article.aliases)),
        )


def _check_page(limit: int, offset: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidRequest("limit", f"limit is {limit}; it must be from 1 to {MAX_LIMIT}.")
    if offset < 0:
        raise InvalidRequest("offset", f"offset is {offset}; it must be at least 0.")
    if offset + limit > MAX_DEPTH:
        raise InvalidRequest(
            "offset",
            f"offset + limit is {offset + limit}; it must be at most {MAX_DEPTH:,}. Ask a narrower question.",
        )

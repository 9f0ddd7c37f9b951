"""Given a question, ranked passages with citations.

Opening an index checks it and maps it; answering opens no file, takes no lock but a short one around the look-up of
text, and needs no torch.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from kb import analysis, confidence
from kb.article import Article, ArticleSummary, article_path
from kb.catalogue import Catalogue
from kb.encoder import Encoder
from kb.errors import IndexDamaged, InvalidRequest, NotFound
from kb.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.generation import Verify, open_generation
from kb.names import NameIndex
from kb.notices import Notices
from kb.passage import Passage
from kb.postings import Postings
from kb.question import MAX_QUESTION_CHARS, Condition, parse_question
from kb.ranking import Ranker, Ranking, Unit
from kb.related import nearest_articles
from kb.results import Citation, Facets, FacetValue, SearchResponse, SearchResult
from kb.snippet import excerpt
from kb.spelling import Spelling
from kb.store import FILE as STORE
from kb.store import ArticleStore
from kb.suggest import Suggestion, Suggestions
from kb.vectors import VectorIndex
from kb.vocabulary import FOLDER as VOCABULARY
from kb.vocabulary import Vocabulary
from kb.web_address import host_name

if TYPE_CHECKING:
    from kb.keyword import KeywordIndex

__all__ = ["MAX_DEPTH", "MAX_LIMIT", "MAX_QUESTION_CHARS", "KnowledgeBase"]

MAX_LIMIT = 100
MAX_DEPTH = 1000

FACET_DEPTH = 50
"""How many sections, from the first on, tell what an answer can be narrowed to."""


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

    def __init__(self, index: Path, verify: Verify, base_url: str, weights: FusionWeights) -> None:
        self.path = index
        self._base_url = base_url.rstrip("/")
        folder, self.manifest, lease = open_generation(index, verify)
        self._folder = folder
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
            self._notices = Notices.load(folder)
            self._vocabulary = Vocabulary(folder / VOCABULARY)
            self._vectors = VectorIndex(folder / "vectors")
            self._ranker = Ranker(
                postings,
                self._vectors,
                NameIndex(folder / "names", postings.idf_of_rarest),
                self._passages,
                weights,
            )
            self._spelling = Spelling(folder / "spelling")
            self._suggestions = Suggestions(folder / "suggestions", self._base_url)
        except Exception as error:
            opened.close()
            raise IndexDamaged(
                f"{folder}: cannot be opened ({type(error).__name__}: {error}). "
                "Run `kb build` to make the index anew."
            ) from error
        self._opened = opened
        self._keyword: KeywordIndex | None = None
        self._keyword_lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._catalogue_lock = threading.Lock()

    @classmethod
    def open(
        cls,
        path: str | Path = "index",
        *,
        verify: Verify = "quick",
        base_url: str = "",
        weights: FusionWeights = DEFAULT_WEIGHTS,
    ) -> KnowledgeBase:
        """Open the live generation of the index in `path`.

        `verify` "quick" takes a fraction of a second; "full" hashes every file. `base_url` is put before the
        path in citations. `weights` says how much each ranker counts. Raises the kinds of kb.errors.IndexUnusable.
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

    @property
    def catalogue(self) -> Catalogue:
        """The library's order, A to Z, by topic and by source; made when it is first asked for."""
        with self._catalogue_lock:
            if self._catalogue is None:
                self._catalogue = Catalogue(self._store.catalogue_rows())
            return self._catalogue

    def summaries(self, ordinals: Iterable[int]) -> list[ArticleSummary]:
        """The articles of these ordinals, which are those of `catalogue`, in the order given."""
        return self._store.summaries_of([int(ordinal) for ordinal in ordinals])

    def similar(self, article: Article, count: int = 6) -> list[ArticleSummary]:
        """At most `count` other articles that are near in meaning, nearest first; of each title the nearest one."""
        own = self._store.ordinal(article.id)
        if own is None:
            return []
        # Collections from several publishers have the same subject more than once.
        near = nearest_articles(self._vectors, self._articles_of_passages(), own, 4 * count)
        by_title: dict[str, ArticleSummary] = {}
        for summary in self._store.summaries_of([ordinal for ordinal, _ in near]):
            by_title.setdefault(summary.display_title.casefold(), summary)
        return list(by_title.values())[:count]

    def related(self, article: Article) -> list[ArticleSummary]:
        """Those of the articles named as related, by id or title, that are here; each once, in order."""
        found = (self._store.find_summary(name) for name in article.related)
        by_id = {summary.id: summary for summary in found if summary and summary.id != article.id}
        return list(by_id.values())

    def suggest(self, text: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """What the beginning of a text may become: articles, sections and questions, best first.

        At most `limit`, 1 to 50; none for a blank text. Raises InvalidRequest, which names the parameter.
        """
        found = self._suggestions.suggest(text, limit)
        if not found:
            repair = self._spelling.repair(text)
            if repair.changes:
                found = self._suggestions.suggest(repair.text, limit)
        return found

    def search(
        self,
        question: str,
        limit: int = 10,
        offset: int = 0,
        *,
        tag: str | None = None,
        source: str | None = None,
        article: str | None = None,
        facets: bool = False,
    ) -> SearchResponse:
        """Answer a question: `limit` sections (1 to 100), best first, from place `offset` on.

        `offset + limit` is at most 1,000; a question at most 4,000 characters. Raises InvalidRequest, which names
        the parameter. kb.question describes the operators that a question may hold.

        `tag` leaves only articles of a topic, `source` only those published by a host (`nhs.uk`), `article` only the
        one of that id; a name that nothing bears leaves nothing. `facets` asks what the answer could be narrowed to.
        """
        _check_page(limit, offset)
        parsed = parse_question(question)
        watch = Stopwatch()
        terms = analysis.terms(parsed.text)
        mask = _both(self._matching(parsed.conditions), self._within(tag, source, article))
        watch.lap("analyse")
        vector = self._encode(parsed.text)
        watch.lap("encode")
        ranking = self._ranker.rank(terms, vector, mask)
        order = ranking.best_of_each("section")
        watch.lap("rank")
        verdict = confidence.answered(ranking.evidence(), self.passage_count)
        page = [
            self._result(ranking, int(place), rank)
            for rank, place in enumerate(order[offset : offset + limit], start=offset + 1)
        ]
        nearby = self._facets(ranking, order) if facets else None
        watch.lap("cite")
        # A command line can hold bytes that are not UTF-8; an answer can always be printed.
        asked = question.encode(errors="replace").decode()
        # The whole question, as typed: a notice depends on no operator and on no result.
        notices = self._notices.find(question)
        watch.lap("notices")
        return SearchResponse(
            asked, verdict, tuple(page), self.generation, watch.total(), notices, nearby
        )

    def run(
        self, question: str, unit: Unit = "section", depth: int = MAX_DEPTH
    ) -> list[tuple[str, float]]:
        """The ids of the best units with their scores, best first, at most `depth`: a run for evaluation.

        A unit's id is the article's; or the section's as the collection gave it, else `article#section`; or the
        passage's. `depth` is from 1 to 1,000, else InvalidRequest.
        """
        if not 1 <= depth <= MAX_DEPTH:
            raise InvalidRequest("depth", f"depth is {depth}; it must be from 1 to {MAX_DEPTH:,}.")
        parsed = parse_question(question)
        terms = analysis.terms(parsed.text)
        vector = self._encode(parsed.text)
        ranking = self._ranker.rank(terms, vector, self._matching(parsed.conditions))
        return [
            (self._unit_id(int(ranking.rows[place]), unit), float(ranking.scores[place]))
            for place in ranking.best_of_each(unit)[:depth]
        ]

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

    def _articles_of_passages(self) -> NDArray[np.int64]:
        """The article's ordinal of each passage, (N,)."""
        ordinals: NDArray[np.int64] = self._passages["article"].astype(np.int64)
        return ordinals

    def _within(
        self, tag: str | None, source: str | None, article: str | None
    ) -> NDArray[np.bool_] | None:
        """The passages of the articles that are asked for, bool (N,), or None where all are."""
        mask = None
        if tag is not None or source is not None:
            mask = self.catalogue.allowed(tag, source)[self._articles_of_passages()]
        if article is not None:
            own = self._store.ordinal(article)
            mask = _both(mask, self._articles_of_passages() == (-1 if own is None else own))
        return mask

    def _facets(self, ranking: Ranking, order: NDArray[np.int64]) -> Facets:
        """The topics and sources of the articles of the first sections."""
        nearest = dict.fromkeys(int(n) for n in ranking.articles[order[:FACET_DEPTH]])
        heads = [self._store.article_head(ordinal) for ordinal in nearest]
        return Facets(
            _facet_values(tag for head in heads for tag in dict.fromkeys(head.tags)),
            _facet_values(host_name(head.url) for head in heads),
        )

    def _unit_id(self, row: int, unit: Unit) -> str:
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


def _both(
    one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """What both masks allow; None allows everything."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _facet_values(names: Iterable[str]) -> tuple[FacetValue, ...]:
    """The names by how often they come, then in the order in which they came first; empty ones left out."""
    counted = Counter(name for name in names if name)
    return tuple(FacetValue(name, count) for name, count in counted.most_common())


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

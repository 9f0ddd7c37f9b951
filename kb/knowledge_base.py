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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from kb import confidence, tuning
from kb.article import Article, ArticleSummary, article_path
from kb.catalogue import Catalogue
from kb.citing import Citer
from kb.companion import CompanionFinder
from kb.encoder import Encoder
from kb.errors import IndexDamaged, InvalidRequest, NotFound
from kb.fallback import open_newest
from kb.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.generation import Verify, read_checked
from kb.language import name_of
from kb.names import NameIndex
from kb.notices import Notices
from kb.postings import Postings
from kb.query import Query, QuestionReader
from kb.question import MAX_QUESTION_CHARS, Condition
from kb.ranking import Ranker, Ranking, Unit
from kb.related import nearest_articles
from kb.results import Facets, FacetValue, SearchResponse, SearchResult
from kb.spelling import Spelling
from kb.store import FILE as STORE
from kb.store import ArticleStore
from kb.suggest import Suggestion, Suggestions, question_path
from kb.variety import spread
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

    def __init__(
        self, index: Path, verify: Verify, base_url: str, weights: FusionWeights | None
    ) -> None:
        self.path = index
        self._base_url = base_url.rstrip("/")
        tuned = tuning.load(index) if weights is None else None
        found = open_newest(index, verify)
        folder, self.manifest = found.folder, found.manifest
        self._folder = folder
        self.damage = found.damage
        """Why this is not the live generation but an older one; None where it is the live one."""
        if tuned is not None and tuned.mismatch(self.manifest) is None:
            weights = tuned.weights
        self.weights = weights or DEFAULT_WEIGHTS
        opened = ExitStack()
        opened.callback(found.lease.release)
        try:
            self._store = ArticleStore(folder / STORE, found.removed)
            opened.callback(self._store.close)
            self._encoder = Encoder(folder / "encoder")
            self._citer = Citer(folder, self._store, self._base_url)
            self._passages = self._citer.passages
            postings = Postings(folder / "postings")
            self._vectors = VectorIndex(folder / "vectors")
            self._ranker = Ranker(
                postings,
                self._vectors,
                NameIndex(folder / "names", postings.idf_of_rarest),
                self._passages,
                self.weights,
            )
            self._spelling = Spelling(folder / "spelling")
            self._reader = QuestionReader(
                self._spelling, Vocabulary(folder / VOCABULARY), self._store.languages
            )
            self._companions = CompanionFinder(folder / "vectors")
            self._notices = Notices.load(folder)
            self._suggestions = Suggestions(
                folder / "suggestions", self._base_url, _hidden_paths(self._store)
            )
        except Exception as error:
            opened.close()
            raise IndexDamaged(
                f"{folder}: cannot be opened ({type(error).__name__}: {error}). "
                "Run `kb build` to make the index anew."
            ) from error
        self._opened = opened
        # An older generation may hold what was removed since.
        self._article_count = self._store.shown_count()
        self._shown = self._store.shown(self._passages["article"]) if found.removed else None
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
        weights: FusionWeights | None = None,
    ) -> Self:
        """Open the live generation of the index in `path`; where that one does not verify, the newest that does.

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
        return self._article_count

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
                self._catalogue = Catalogue(self._store.catalogue_rows(), self._store.counts()[0])
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
        exact: bool = False,
    ) -> SearchResponse:
        """Answer a question: `limit` sections (1 to 100), best first, from place `offset` on.

        `offset + limit` is at most 1,000; a question at most 4,000 characters. Raises InvalidRequest, which names
        the parameter. kb.question describes the operators that a question may hold. Misspelt words are repaired, which
        the response says, unless `exact`.

        `tag` leaves only articles of a topic, `source` only those published by a host (`nhs.uk`), `article` only the
        one of that id; a name that nothing bears leaves nothing. `facets` asks what the answer could be narrowed to.
        """
        _check_page(limit, offset)
        watch = Stopwatch()
        query = self._reader.read(question, exact=exact)
        # The whole question, as typed: a notice depends on no operator and on no result.
        notices = self._notices.find(question)
        mask = _both(self._matching(query.conditions), self._within(tag, source, article))
        watch.lap("analyse")
        vector = self._encode(query.text)
        watch.lap("encode")
        ranking = self._ranker.rank(query.terms, vector, mask, query.concepts)
        order = self._spread(ranking)
        watch.lap("rank")
        verdict = confidence.answered(ranking.evidence(), self.passage_count)
        if query.foreign:
            verdict = "none"
        page = self._citer.page(ranking, order, offset, limit)
        companion = self._companion(query, vector, ranking, order) if verdict != "none" else None
        nearby = self._facets(ranking, order) if facets else None
        watch.lap("cite")
        return SearchResponse(
            # A command line can hold bytes that are not UTF-8; an answer can always be printed.
            question=question.encode(errors="replace").decode(),
            answered=verdict,
            results=page,
            generation=self.generation,
            timings=watch.total(),
            notices=notices,
            facets=nearby,
            correction=query.correction,
            reason=self._reason(query, len(order)) if verdict == "none" else "",
            companion=companion,
        )

    def run(
        self, question: str, unit: Unit = "section", depth: int = MAX_DEPTH
    ) -> list[tuple[str, float]]:
        """The ids of the best units with their scores, best first, at most `depth`: a run for evaluation.

        A unit's id is the article's; or the section's as the collection gave it, else `article#section`; or the
        passage's. `depth` is from 1 to 1,000, else InvalidRequest. Sections come in the order of `search`; a score is
        never above the one before, even where variety put a section back.
        """
        if not 1 <= depth <= MAX_DEPTH:
            raise InvalidRequest("depth", f"depth is {depth}; it must be from 1 to {MAX_DEPTH:,}.")
        ranking = self.rank(question)
        order = self._spread(ranking) if unit == "section" else ranking.best_of_each(unit)
        # What evaluates a run sorts it by score, and breaks ties in its own way.
        scores = np.minimum.accumulate(ranking.scores[order]) - 1e-9 * np.arange(len(order))
        return [
            (self.unit_id(int(ranking.rows[place]), unit), float(score))
            for place, score in zip(order[:depth], scores, strict=False)
        ]

    def rank(self, question: str) -> Ranking:
        """All candidates of a question with their signals and scores. Raises InvalidRequest."""
        query = self._reader.read(question)
        vector = self._encode(query.text)
        return self._ranker.rank(
            query.terms, vector, self._matching(query.conditions), query.concepts
        )

    def _spread(self, ranking: Ranking) -> NDArray[np.int64]:
        """The places of sections in the order in which they are shown."""
        likeness = self._passages["likeness"][ranking.rows]
        order = ranking.best_of_each("section")
        return spread(order, ranking.articles, ranking.is_subject(), likeness)

    def _companion(
        self, query: Query, vector: NDArray[np.float32], ranking: Ranking, order: NDArray[np.int64]
    ) -> SearchResult | None:
        """The section of the first article on when to seek care, for a question about a symptom."""
        if not len(order) or not self._companions.is_about_a_symptom(vector):
            return None
        own = self._passages["article"] == ranking.articles[order[0]]
        section = self._companions.section(np.unique(self._passages["section"][own]))
        if section is None:
            return None
        places = np.flatnonzero(ranking.sections == section)
        if not len(places):
            mask = self._passages["section"] == section
            ranking = self._ranker.rank(query.terms, vector, mask, query.concepts)
            places = np.arange(len(ranking.rows))
        return self._citer.result(ranking, int(places[np.argmax(ranking.scores[places])]), rank=0)

    def _reason(self, query: Query, found: int) -> str:
        """Why there is no answer."""
        if query.foreign:
            own = " and ".join(sorted(map(name_of, self._store.languages())))
            return f"The question seems to be in {name_of(query.foreign)}, and this library is in {own}."
        if not found:
            return "Nothing here meets the question’s conditions."
        return "Nothing in this library comes near enough to the question to answer it."

    def _encode(self, text: str) -> NDArray[np.float32]:
        """The question's vector; that of a question of nothing but excluded words is near to nothing."""
        if not text:
            return np.zeros(self.manifest.model.dimensions, dtype=np.float32)
        return self._encoder.encode_question(text)

    def _matching(self, conditions: tuple[Condition, ...]) -> NDArray[np.bool_] | None:
        if not conditions:
            return self._shown
        with self._keyword_lock:
            if self._keyword is None:
                from kb.keyword import KeywordIndex  # noqa: PLC0415  (plain questions need no index of Whoosh's)

                self._keyword = KeywordIndex(
                    self._folder / "keyword",
                    self.manifest.counts.passages,
                    partial(read_checked, self._folder, self.manifest),
                )
        mask = self._keyword.matching(conditions)
        return mask if self._shown is None else mask & self._shown

    def unit_id(self, row: int, unit: Unit) -> str:
        """The id, as in `run`, of the unit that the passage with the ordinal `row` belongs to."""
        return self._citer.unit_id(row, unit)

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


def _hidden_paths(store: ArticleStore) -> frozenset[str]:
    """Where no suggestion may lead: to removed articles, and to questions in their names."""
    ids, names = store.hidden_names()
    return frozenset((*map(article_path, ids), *map(question_path, names)))


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

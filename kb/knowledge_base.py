"""Given a question, ranked passages with citations.

Opening an index checks it and maps it. Answering needs no torch, opens no file once it is warmed up, but for what a
large library leaves on disk, and holds locks for moments alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from kb.answering.care_companion import Companion, CompanionFinder
from kb.answering.citer import Citer
from kb.answering.explanation import explained
from kb.answering.facets import facets as facets_of
from kb.answering.related import Neighbourhood
from kb.compute.lazy import Lazy
from kb.compute.spare_core import SpareCore
from kb.compute.stopwatch import Stopwatch
from kb.question.notices import Notices
from kb.question.operators import MAX_QUESTION_CHARS
from kb.question.query import QuestionReader
from kb.question.spelling import Spelling
from kb.question.suggestions import Suggestions, hidden_paths
from kb.question.vocabulary import FOLDER as VOCABULARY
from kb.question.vocabulary import Vocabulary
from kb.ranking import tuned_weights
from kb.ranking.fusion import DEFAULT_WEIGHTS, MODES, FusionWeights, Mode
from kb.ranking.question_ranker import QueryRanker, RankedQuestion
from kb.ranking.ranking import UNITS, Ranking, Unit
from kb.ranking.reranker import RERANK_DEPTH, Reranker
from kb.ranking.variety import diversify
from kb.ranking.verdict import Confidence
from kb.retrieval.conditions import Conditions
from kb.retrieval.embedded import EmbeddedIndex
from kb.retrieval.encoder import Encoder
from kb.retrieval.names import NameIndex
from kb.retrieval.passage_filter import PassageFilter
from kb.retrieval.postings import Postings
from kb.retrieval.signals import SignalSource
from kb.retrieval.vectors import VectorIndex
from kb.schema.arguments import check_text, check_whole
from kb.schema.article import Article, ArticleSummary, today
from kb.schema.errors import GenerationGone, IndexDamaged, InvalidRequest, KbError, NotFound
from kb.schema.filters import Filters, FilterValues, checked_values
from kb.schema.paging import MAX_DEPTH, MAX_LIMIT, check_page
from kb.schema.results import RelatedResponse, SearchResponse, SearchResult, Suggestion
from kb.storage.addresses import Addresses
from kb.storage.articles import CLOSED, ArticleStore, expiry_dates
from kb.storage.articles import FILE as STORE
from kb.storage.catalogue import Catalogue
from kb.storage.generation import Verify, read_checked
from kb.storage.open_newest import open_newest
from kb.storage.passage_table import PassageTable

if TYPE_CHECKING:
    from kb.retrieval.phrases import KeywordIndex
    from kb.storage.manifest import Manifest

__all__ = ["MAX_DEPTH", "MAX_LIMIT", "MAX_QUESTION_CHARS", "KnowledgeBase"]


class KnowledgeBase:
    """One generation of an index, open for questions. Safe to share between threads.

    It goes on answering from the generation it opened; open another to see what was published since.
    """

    def __init__(
        self,
        index: Path,
        verify: Verify,
        base_url: str,
        weights: FusionWeights | None,
        reranker: Reranker | None,
    ) -> None:
        self.path = index
        self._reranker = reranker
        self._base_url = base_url.rstrip("/")
        tuned = tuned_weights.load(index) if weights is None else None
        found = open_newest(index, verify)
        folder, self.manifest = found.folder, found.manifest
        self._folder = folder
        self.damage = found.damage
        """Why this is not the live generation but an older one; None where it is the live one."""
        if tuned is not None and tuned.mismatch(self.manifest) is None:
            weights = tuned.weights
        self.weights = weights or DEFAULT_WEIGHTS
        self.shown_until: str | None
        """The day (YYYY-MM-DD) from which on an article is to be shown no longer, if any has one."""
        opened = ExitStack()
        opened.callback(found.lease.release)
        try:
            self._addresses, removed, self.shown_until = _dated(folder, found.removed)
            self._store = ArticleStore(folder / STORE, removed, self._addresses.current)
            opened.callback(self._store.close)
            self._encoder = Encoder(folder / "encoder")
            self._citer = Citer(folder, self._store, self._base_url)
            self._passages = PassageTable(self._citer.passages)
            self._postings = Postings(folder / "postings")
            self._spare_core = SpareCore()
            opened.callback(self._spare_core.close)
            self._vectors = VectorIndex(folder / "vectors", self._spare_core)
            names = NameIndex(folder / "names", self._postings.idf_of_rarest)
            self._spelling = Spelling(folder / "spelling")
            languages = Lazy(self._store.languages)  # of 100,000 articles to be gone over once
            self._reader = QuestionReader(
                self._spelling, Vocabulary(folder / VOCABULARY), languages
            )
            self._companions = CompanionFinder(folder / "vectors", self._passages)
            self._notices = Notices.load(folder)
            self._suggestions = Suggestions(
                folder / "suggestions", self._base_url, hidden_paths(*self._store.hidden_names())
            )
        except Exception as error:
            opened.close()
            raise IndexDamaged(
                f"{folder}: cannot be opened ({type(error).__name__}: {error}). "
                "Run `kb build` to make the index anew."
            ) from error
        self._opened = opened
        self._closed = False
        # Nothing from here on holds the knowledge base itself: else a generation that is let go would stay in memory,
        # its files open, until the garbage of cycles is collected.
        store = self._store
        self._phrases = Lazy(partial(_open_phrases, folder, self.manifest))
        self._catalogue = Lazy(lambda: Catalogue(store.catalogue_rows(), store.counts()[0]))
        # An older generation may hold what was removed since.
        self._article_count = store.shown_count()
        shown = store.shown(self._passages.columns["article"]) if removed else None
        conditions = Conditions(self._postings, self._phrases)
        self._index = EmbeddedIndex(
            self._postings,
            SignalSource(self._vectors, names, self._spare_core),
            self._passages,
            conditions,
            PassageFilter(self._passages, conditions, store, self._catalogue, shown),
        )
        self._query_ranker = QueryRanker(self._encoder, self._index, self.weights, self._spare_core)
        self._judge = Confidence(self._article_count, self.passage_count, languages)
        self._neighbourhood = Neighbourhood(store, self._vectors, self._citer, shown)

    @classmethod
    def open(
        cls,
        path: str | Path = "index",
        *,
        verify: Verify = "quick",
        base_url: str = "",
        weights: FusionWeights | None = None,
        reranker: Reranker | None = None,
    ) -> Self:
        """Open the live generation of the index in `path`; where that one does not verify, the newest that does.

        `verify` "quick" takes a fraction of a second; "full" hashes every file. `base_url` is put before the
        path in citations. `weights` says how much each ranker counts; None takes those that `kb tune` stored, where
        they hold for the generation, else the shipped ones. `reranker` orders the first results of a hybrid search
        anew. Raises the kinds of kb.schema.errors.IndexUnusable.
        """
        try:
            return cls(Path(path), verify, base_url, weights, reranker)
        except IndexDamaged:
            if verify == "full":
                raise
            # What was trusted unread and cannot be parsed: hashing finds it, and an older generation may answer.
            return cls(Path(path), "full", base_url, weights, reranker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the generation go, so that it may be deleted. Call it once no search is running.

        What is asked afterwards raises KbError.
        """
        self._closed = True
        self._opened.close()

    def _require_open(self) -> None:
        """What is mapped would go on answering, from files that may be gone, up to the first look into the store."""
        if self._closed:
            raise KbError(CLOSED)

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
        """The article of that id, whole.

        Raises NotFound; of its kinds ArticleMoved where the article has another id by now, and ArticleWithdrawn where
        it was taken out.
        """
        check_text("article", article_id)
        article = self._store.article_by_id(article_id)
        if article is None:
            self._addresses.explain_missing(article_id)
            raise NotFound(f"There is no article {article_id!r}.")
        return article

    def articles(self, limit: int = 100, offset: int = 0) -> list[ArticleSummary]:
        """Articles by title. `limit` at least 1, `offset` at least 0, else InvalidRequest."""
        self._require_open()
        check_whole("limit", limit, 1)
        check_whole("offset", offset, 0)
        return self._store.summaries(limit, offset)

    @property
    def catalogue(self) -> Catalogue:
        """The library's order, A to Z, by topic and by source; made when it is first asked for."""
        return self._catalogue()

    def summaries(self, ordinals: Iterable[int]) -> list[ArticleSummary]:
        """The articles of these ordinals, which are those of `catalogue`, in the order given."""
        return self._store.summaries_of([int(ordinal) for ordinal in ordinals])

    def similar(self, article: Article, count: int = 6) -> list[ArticleSummary]:
        """At most `count` other articles that are near in meaning, nearest first; of each title the nearest one."""
        return self._neighbourhood.similar(article.id, count)

    def near(
        self,
        article_id: str,
        section_id: str | None = None,
        start: int = 0,
        limit: int = 10,
        *,
        generation: str | None = None,
    ) -> RelatedResponse:
        """What is nearest in meaning to an article: other articles; or to a passage: other sections, nearest first.

        The passage is the one of `section_id` that holds the code point `start`. At most `limit`, 1 to 100. Raises
        NotFound, PassageNotFound where the article has no such passage, InvalidRequest and GenerationGone.
        """
        self._require_open()
        check_text("article", article_id)
        check_text("section", section_id, optional=True)
        check_whole("start", start, 0)
        check_page(limit, 0)
        self.require(generation)
        watch = Stopwatch()
        if section_id is None:
            found = self._neighbourhood.of_article(article_id, limit)
        else:
            found = self._neighbourhood.of_passage(article_id, section_id, start, limit)
        watch.lap("rank")
        results = self._neighbourhood.cited(found)
        watch.lap("cite")
        return RelatedResponse(results, self.generation, watch.total())

    def require(self, generation: str | None) -> None:
        """Raise GenerationGone where another generation than the one that answers is meant."""
        if generation is not None and generation != self.generation:
            raise GenerationGone(
                f"Another generation of the index answers now: {self.generation}. Ask again from the first page."
            )

    def warm_up(self) -> None:
        """Load now what is otherwise loaded by the first question that needs it: some tenths of a second."""
        self._phrases()
        self._encoder.warm_up()
        _ = self.catalogue

    def related(self, article: Article) -> list[ArticleSummary]:
        """Those of the articles named as related, by id or title, that are here; each once, in order."""
        found = (self._store.find_summary(name) for name in article.related)
        by_id = {summary.id: summary for summary in found if summary and summary.id != article.id}
        return list(by_id.values())

    def suggest(self, text: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """What the beginning of a text may become: articles, sections and questions, best first.

        At most `limit`, 1 to 50; none for a blank text. Raises InvalidRequest, which names the parameter.
        """
        self._require_open()
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
        mode: Mode = "hybrid",
        group_by: Unit = "section",
        article: FilterValues | None = None,
        topic: FilterValues | None = None,
        source: FilterValues | None = None,
        language: FilterValues | None = None,
        updated_since: str | None = None,
        reviewed_since: str | None = None,
        tag: FilterValues | None = None,
        facets: bool = False,
        exact: bool = False,
        explain: bool = False,
        generation: str | None = None,
    ) -> SearchResponse:
        """Answer a question: `limit` results (1 to 100), best first, from place `offset` on.

        `offset + limit` is at most 1,000; a question at most 4,000 characters. Raises InvalidRequest, which names
        the parameter. kb.question.operators describes the operators that a question may hold. Misspelt words are
        repaired, which the response says, unless `exact`.

        A result is a section by its best passage, or, by `group_by`, a passage or an article. `mode` "keyword" goes by
        words alone and "dense" by meaning alone. `article` to `reviewed_since` narrow the search as kb.schema.filters
        says: `article`, `topic`, `source` and `language` are a text or several, any of which will do, but none that
        begins with `-`. `tag` is an older name of `topic`. `facets` asks what the answer could be narrowed to,
        `explain` how the question was understood. Pages that name the `generation` of the first are parts of one list:
        raises GenerationGone where another answers.
        """
        self._require_open()
        check_text("question", question)
        check_page(limit, offset)
        _check_choice("mode", mode, MODES)
        _check_choice("group_by", group_by, UNITS)
        tags, topics = checked_values("tag", tag), checked_values("topic", topic)
        if tags is not None and topics is not None:
            raise InvalidRequest("tag", "tag is an older name of topic: give one of them.")
        filters = Filters(
            article,
            tags if topics is None else topics,
            source,
            language,
            updated_since,
            reviewed_since,
        )
        self.require(generation)
        watch = Stopwatch()
        query = self._reader.read(question, exact=exact)
        # The whole question, as typed: a notice depends on no operator and on no result.
        notices = self._notices.find(query.typed)
        allowed = self._index.allow(query.conditions, filters)
        watch.lap("analyse")
        asked = self._query_ranker.rank(query, allowed, mode, watch)
        ranking = asked.ranking
        sections = self._spread(ranking)
        order = sections if group_by == "section" else ranking.grouped(group_by)
        watch.lap("rank")
        if self._reranker is not None and mode == "hybrid":
            order = self._reranked(self._reranker, query.text, ranking, order)
            watch.lap("rerank")
        answered, reason = self._judge.decide(
            query, ranking, mode, filters, self._index.allows_nothing
        )
        care = None
        # Under a notice of an emergency, advice from an article that may be another's would contradict it.
        if answered == "confident" or (answered == "likely" and not notices):
            care = self._companions.find(asked.vector, int(ranking.articles[order[0]]))
        if care is not None:
            order = care.left_out_of(order, ranking.sections)
            sections = care.left_out_of(sections, ranking.sections)
        page = self._citer.page(
            asked.search, ranking, order[offset : offset + limit], sections, offset + 1
        )
        companion = None
        if care is not None and not offset and care.section not in ranking.sections[order[:limit]]:
            companion = self._companion(asked, care)
        nearby = None
        if facets:
            scores = ranking.boosted_scores[sections]
            nearby = facets_of(self._store, ranking.articles[sections], scores)
        watch.lap("cite")
        explanation = None
        if explain:
            explanation = explained(query, ranking, self._index, allowed)
            watch.lap("explain")
        return SearchResponse(
            # A command line can hold bytes that are not UTF-8; an answer can always be printed.
            question=question.encode(errors="replace").decode(),
            answered=answered,
            results=page,
            generation=self.generation,
            timings=watch.total(),
            notices=notices,
            facets=nearby,
            correction=query.correction,
            reason=reason,
            companion=companion,
            total=min(len(order), MAX_DEPTH),
            explanation=explanation,
        )

    def run(
        self, question: str, unit: Unit = "section", depth: int = MAX_DEPTH
    ) -> list[tuple[str, float]]:
        """The ids of the best units with their scores, best first, at most `depth`: a run for evaluation.

        A unit's id is the article's; or the section's as the collection gave it, where it gave it to no other, else
        `article#section`; or the passage's. `depth` is from 1 to 1,000, else InvalidRequest. Sections come in the order
        of `search`, a companion among them; a score is never above the one before, even where variety put a section
        back.
        """
        check_whole("depth", depth, 1, MAX_DEPTH)
        ranking = self.rank(question)
        order = self._spread(ranking) if unit == "section" else ranking.grouped(unit)
        if self._reranker is not None:
            order = self._reranked(self._reranker, self._reader.read(question).text, ranking, order)
        # What evaluates a run sorts it by score in float32, and breaks ties in its own way.
        scores = np.minimum.accumulate(ranking.boosted_scores[order]) - 1e-6 * np.arange(len(order))
        return [
            (self.unit_id(int(ranking.rows[place]), unit), float(score))
            for place, score in zip(order[:depth], scores, strict=False)
        ]

    def rank(self, question: str) -> Ranking:
        """All candidates of a question with their signals and scores. Raises InvalidRequest."""
        self._require_open()
        check_text("question", question)
        query = self._reader.read(question)
        allowed = self._index.allow(query.conditions, Filters())
        return self._query_ranker.rank(query, allowed, "hybrid", Stopwatch()).ranking

    def unit_id(self, row: int, unit: Unit) -> str:
        """The id, as in `run`, of the unit that the passage with the ordinal `row` belongs to."""
        return self._citer.unit_id(row, unit)

    def _spread(self, ranking: Ranking) -> NDArray[np.int64]:
        """The places of sections in the order in which they are shown."""
        return diversify(
            ranking.grouped("section"),
            ranking.articles,
            ranking.is_subject(),
            ranking.candidates.likeness,
        )

    def _reranked(
        self, reranker: Reranker, question: str, ranking: Ranking, order: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """`order` as the reranker has it, which reads title, heading and passage."""
        cited = (self._citer.cited(int(ranking.rows[place])) for place in order[:RERANK_DEPTH])
        texts = [f"{c.article_title}\n{c.section_heading}\n{c.quote}" for c in cited]
        return reranker.reordered(question, order, texts)

    def _companion(self, asked: RankedQuestion, care: Companion) -> SearchResult:
        """The companion's section by its best passage, whether a candidate or not."""
        ranking = asked.ranking
        if care.section not in ranking.sections:
            ranking = self._query_ranker.rank_rows(asked, care.rows)
        return self._citer.companion(asked.search, ranking, care.section)


def _dated(folder: Path, removed: frozenset[str]) -> tuple[Addresses, frozenset[str], str | None]:
    """The former addresses and the articles not to be shown, those that have expired among them; when the next does."""
    expiries, day = expiry_dates(folder / STORE), today()
    expired = {article_id: date for article_id, date in expiries.items() if date <= day}
    addresses = Addresses.load(folder).with_expired(expired)
    next_one = min((date for date in expiries.values() if date > day), default=None)
    return addresses, removed | expired.keys(), next_one


def _open_phrases(folder: Path, manifest: Manifest) -> KeywordIndex:
    """Whoosh's index of a generation, each file of which is what the manifest says."""
    from kb.retrieval.phrases import KeywordIndex  # noqa: PLC0415  (only phrases need Whoosh's index)

    return KeywordIndex(folder / "keyword", partial(read_checked, folder, manifest))


def _check_choice(field: str, value: str, accepted: Sequence[str]) -> None:
    if value not in accepted:
        *others, last = accepted
        raise InvalidRequest(
            field, f"{field} is {value!r}; it must be {', '.join(others)} or {last}."
        )

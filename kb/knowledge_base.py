"""A knowledge base: search, suggestions, related passages and articles of one index.

Opening an index checks its files and maps them. Answering needs no torch. After warm-up no file is opened, but for
the parts of a large library that stay on disk. Locks are held for moments only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack

from kb.compute.stopwatch import Stopwatch
from kb.opening import Engine, open_engine
from kb.question.operators import MAX_QUESTION_CHARS
from kb.ranking.fusion import FusionWeights
from kb.ranking.reranker import Reranker
from kb.schema.arguments import check_text, check_whole
from kb.schema.article import Article, ArticleSummary
from kb.schema.errors import IndexUnusable, NotFound
from kb.schema.paging import MAX_DEPTH, MAX_LIMIT, check_page
from kb.schema.results import RelatedResponse, SearchResponse, Suggestion
from kb.schema.search_request import NamedSearchOptions, SearchRequest
from kb.search import answer
from kb.storage.catalogue import Catalogue
from kb.storage.generation import Verify

if TYPE_CHECKING:
    from kb.storage.manifest import Manifest

__all__ = ["MAX_DEPTH", "MAX_LIMIT", "MAX_QUESTION_CHARS", "KnowledgeBase", "OnAnswer"]

OnAnswer = Callable[[SearchResponse], None]
"""What is called with each answer, in the thread that asked."""


class KnowledgeBase:
    """One generation of an index, open for questions. Safe to share between threads.

    A knowledge base goes on answering from the generation it opened. Open another one to see what was published since.
    """

    def __init__(self, path: Path, engine: Engine, on_answer: OnAnswer | None = None) -> None:
        """`KnowledgeBase.open` is the usual way."""
        self.path = path
        self.engine = engine
        """The parts that answer, for evaluation and measurements."""
        self._on_answer = on_answer

    @classmethod
    def open(
        cls,
        path: str | Path = "index",
        *,
        verify: Verify = "quick",
        base_url: str = "",
        weights: FusionWeights | None = None,
        reranker: Reranker | None = None,
        on_answer: OnAnswer | None = None,
    ) -> Self:
        """Open the live generation of the index in `path`, or the newest that verifies.

        `verify` "quick" takes a fraction of a second; "full" hashes every file. `base_url` is put before the path in
        citations. `weights` says how much each ranker counts. None takes the weights that `kb tune` stored for this
        generation, or else the shipped ones. `reranker` reorders the first results of a hybrid search. `on_answer` is
        called with each answer. Raises the kinds of kb.schema.errors.IndexUnusable.
        """
        folder = Path(path)
        engine = open_engine(
            folder, verify=verify, base_url=base_url, weights=weights, reranker=reranker
        )
        return cls(folder, engine, on_answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the generation, so that its files may be deleted. Call `close` once no search is running.

        Questions asked afterwards raise KbError.
        """
        self.engine.close()

    def warm_up(self) -> None:
        """Load what the first question would otherwise wait for: some tenths of a second."""
        self.engine.warm_up()

    @property
    def generation(self) -> str:
        """The id of the generation that answers."""
        return self.engine.generation

    @property
    def manifest(self) -> Manifest:
        """What the generation was made of and with."""
        return self.engine.manifest

    @property
    def damage(self) -> IndexUnusable | None:
        """Why an older generation answers; None where the live one does."""
        return self.engine.damage

    @property
    def shown_until(self) -> str | None:
        """The day (YYYY-MM-DD) on which the next article expires; None where none does."""
        return self.engine.shown_until

    @property
    def weights(self) -> FusionWeights:
        """How much each ranker counts."""
        return self.engine.weights

    @property
    def article_count(self) -> int:
        """Number of articles."""
        return self.engine.article_count

    @property
    def section_count(self) -> int:
        """Number of sections."""
        return self.manifest.counts.sections

    @property
    def passage_count(self) -> int:
        """Number of passages."""
        return self.manifest.counts.passages

    def search(
        self,
        question: str,
        limit: int = 10,
        offset: int = 0,
        **options: Unpack[NamedSearchOptions],
    ) -> SearchResponse:
        """Answer a question with `limit` results (1 to 100), best first, after skipping `offset`.

        `offset + limit` is at most 1,000, and a question at most 4,000 characters. The options are the fields of
        kb.schema.search_request.SearchRequest: `mode`, `group_by`, `article`, `topic`, `source`, `language`,
        `updated_since`, `reviewed_since`, `tag`, `facets`, `exact`, `explain` and `generation`. Misspelt words are
        repaired unless `exact`; the response tells which. Raises InvalidRequest, which names the parameter, and
        GenerationGone where another generation answers than `generation`.
        """
        return self.answer(SearchRequest(question, limit, offset, **options))

    def answer(self, request: SearchRequest) -> SearchResponse:
        """Answer a search that is given as one value. Raises as `search`."""
        response = answer(self.engine, request)
        if self._on_answer is not None:
            self._on_answer(response)
        return response

    def suggest(self, text: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """What the beginning of a text may become: articles, sections and questions, best first.

        At most `limit`, 1 to 50; none for a blank text. Raises InvalidRequest, which names the parameter.
        """
        engine = self.engine
        engine.require_open()
        found = engine.suggestions.suggest(text, limit)
        if not found:
            repair = engine.spelling.repair(text)
            if repair.changes:
                found = engine.suggestions.suggest(repair.text, limit)
        return found

    def related(
        self,
        article_id: str,
        section_id: str | None = None,
        start: int = 0,
        limit: int = 10,
        *,
        generation: str | None = None,
    ) -> RelatedResponse:
        """The articles nearest in meaning to an article, or the sections nearest to a passage, nearest first.

        The passage is the one of `section_id` that holds the code point `start`. At most `limit`, 1 to 100. Raises
        NotFound, PassageNotFound where the article has no such passage, InvalidRequest and GenerationGone.
        """
        engine = self.engine
        engine.require_open()
        check_text("article", article_id)
        check_text("section", section_id, optional=True)
        check_whole("start", start, 0)
        check_page(limit, 0)
        engine.require_generation(generation)
        watch = Stopwatch()
        if section_id is None:
            neighbours = engine.neighbourhood.of_article(article_id, limit)
        else:
            neighbours = engine.neighbourhood.of_passage(article_id, section_id, start, limit)
        watch.lap("rank")
        results = engine.neighbourhood.cited(neighbours)
        watch.lap("cite")
        return RelatedResponse(results, self.generation, watch.total())

    def article(self, article_id: str) -> Article:
        """The article with that id, with all its sections.

        Raises NotFound. Two kinds of it say more: ArticleMoved where the article has another id now, and
        ArticleWithdrawn where the article was taken out.
        """
        check_text("article", article_id)
        article = self.engine.store.article_by_id(article_id)
        if article is None:
            self.engine.addresses.explain_missing(article_id)
            raise NotFound(f"There is no article {article_id!r}.")
        return article

    def articles(self, limit: int = 100, offset: int = 0) -> list[ArticleSummary]:
        """Articles by title. `limit` at least 1, `offset` at least 0, else InvalidRequest."""
        self.engine.require_open()
        check_whole("limit", limit, 1)
        check_whole("offset", offset, 0)
        return self.engine.store.summaries(limit, offset)

    def linked(self, article: Article) -> list[ArticleSummary]:
        """The articles that the author lists as related, by id or title, each once and in order.

        Articles that are not in this library are left out.
        """
        found = (self.engine.store.find_summary(name) for name in article.related)
        by_id = {summary.id: summary for summary in found if summary and summary.id != article.id}
        return list(by_id.values())

    @property
    def catalogue(self) -> Catalogue:
        """The articles in order, A to Z, by topic and by source. Made on first use."""
        return self.engine.catalogue()

    def summaries(self, ordinals: Iterable[int]) -> list[ArticleSummary]:
        """The articles with these ordinals of `catalogue`, in the order given."""
        return self.engine.store.summaries_of([int(ordinal) for ordinal in ordinals])

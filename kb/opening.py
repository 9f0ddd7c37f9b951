"""Opening a generation of an index: its files checked, mapped, and put behind the parts that answer from them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kb.answering.care_companion import CompanionFinder
from kb.answering.citer import Citer
from kb.answering.related import Neighbourhood
from kb.compute.lazy import Lazy
from kb.compute.spare_core import SpareCore
from kb.question.notice_line import NoticeLine
from kb.question.notices import Notices
from kb.question.query import QuestionReader
from kb.question.spelling import Spelling
from kb.question.suggestions import Suggestions, hidden_paths
from kb.question.vocabulary import FOLDER as VOCABULARY
from kb.question.vocabulary import Vocabulary
from kb.ranking import tuned_weights
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.ranking.question_ranker import QueryRanker
from kb.ranking.reranker import Reranker
from kb.ranking.verdict import Confidence
from kb.retrieval.conditions import Conditions
from kb.retrieval.embedded import EmbeddedIndex
from kb.retrieval.encoder import Encoder
from kb.retrieval.names import NameIndex
from kb.retrieval.passage_filter import Mask, PassageFilter
from kb.retrieval.postings import Postings
from kb.retrieval.signals import SignalSource
from kb.retrieval.vectors import VectorIndex
from kb.retrieval.wording import FOLDER as WORDING
from kb.retrieval.wording import WordingIndex
from kb.schema.article import today
from kb.schema.errors import GenerationGone, IndexDamaged, IndexUnusable, KbError
from kb.storage.addresses import Addresses
from kb.storage.articles import CLOSED, ArticleStore, expiry_dates
from kb.storage.articles import FILE as STORE
from kb.storage.catalogue import Catalogue
from kb.storage.generation import Verify, read_checked
from kb.storage.open_newest import OpenGeneration, open_newest
from kb.storage.passage_table import PassageTable

if TYPE_CHECKING:
    from kb.retrieval.phrases import KeywordIndex
    from kb.storage.manifest import Manifest


@dataclass(slots=True)
class Engine:
    """One open generation and everything that answers from it. Safe to share between threads.

    `damage` says why this is an older generation; None where it is the live one. `shown_until` is the day (YYYY-MM-DD)
    on which the next article expires, if any does. `notice_line` is None where the index has another model.
    `article_count` leaves out articles that may not be shown.
    """

    folder: Path
    manifest: Manifest
    damage: IndexUnusable | None
    shown_until: str | None
    article_count: int
    weights: FusionWeights
    store: ArticleStore
    addresses: Addresses
    catalogue: Lazy[Catalogue]
    phrases: Lazy[KeywordIndex]
    spelling: Spelling
    suggestions: Suggestions
    reader: QuestionReader
    notices: Notices
    notice_line: NoticeLine | None
    encoder: Encoder
    index: EmbeddedIndex
    ranker: QueryRanker[Mask]
    reranker: Reranker | None
    confidence: Confidence
    companions: CompanionFinder
    citer: Citer
    neighbourhood: Neighbourhood
    resources: ExitStack
    is_closed: bool = False

    @property
    def generation(self) -> str:
        """The id of the generation."""
        return self.folder.name

    def close(self) -> None:
        """Release the generation, so that its files may be deleted. Call `close` once no search is running."""
        self.is_closed = True
        self.resources.close()

    def require_open(self) -> None:
        """Raise KbError after `close`: mapped files would go on answering, and may be gone."""
        if self.is_closed:
            raise KbError(CLOSED)

    def require_generation(self, generation: str | None) -> None:
        """Raise GenerationGone where another generation is named than the one that answers."""
        if generation is not None and generation != self.generation:
            raise GenerationGone(
                f"Another generation of the index answers now: {self.generation}. Ask again from the first page."
            )

    def warm_up(self) -> None:
        """Load what the first question would otherwise wait for: some tenths of a second."""
        self.phrases()
        self.encoder.warm_up()
        self.catalogue()


def open_engine(
    index: Path,
    *,
    verify: Verify = "quick",
    base_url: str = "",
    weights: FusionWeights | None = None,
    reranker: Reranker | None = None,
) -> Engine:
    """Open the live generation, or the newest that verifies. Raises the kinds of kb.schema.errors.IndexUnusable.

    The arguments are those of KnowledgeBase.open.
    """
    try:
        return _open(index, verify, base_url, weights, reranker)
    except IndexDamaged:
        if verify == "full":
            raise
        # A quick check trusts some files unread. Hashing finds the damaged one, and an older generation may answer.
        return _open(index, "full", base_url, weights, reranker)


def _open(
    index: Path,
    verify: Verify,
    base_url: str,
    weights: FusionWeights | None,
    reranker: Reranker | None,
) -> Engine:
    tuned = tuned_weights.load(index) if weights is None else None
    found = open_newest(index, verify)
    if tuned is not None and tuned.mismatch(found.manifest) is None:
        weights = tuned.weights
    resources = ExitStack()
    resources.callback(found.lease.release)
    try:
        return _assemble(found, resources, base_url, weights or DEFAULT_WEIGHTS, reranker)
    except Exception as error:
        resources.close()
        raise IndexDamaged(
            f"{found.folder}: cannot be opened ({type(error).__name__}: {error}). "
            "Run `kb build` to make the index anew."
        ) from error


def _assemble(
    found: OpenGeneration,
    resources: ExitStack,
    base_url: str,
    weights: FusionWeights,
    reranker: Reranker | None,
) -> Engine:
    """The parts of a generation. What must be closed goes on `resources`.

    No part refers back to the engine. A closed generation is then freed at once, and not at the next collection of
    reference cycles.
    """
    folder, manifest = found.folder, found.manifest
    addresses, removed, shown_until = _dated(folder, found.removed)
    store = ArticleStore(folder / STORE, removed, addresses.current)
    resources.callback(store.close)
    encoder = Encoder(folder / "encoder")
    citer = Citer(folder, store, base_url.rstrip("/"))
    passages = PassageTable(citer.passages)
    postings = Postings(folder / "postings")
    spare_core = SpareCore()
    resources.callback(spare_core.close)
    vectors = VectorIndex(folder / "vectors", spare_core)
    names = NameIndex(folder / "names", postings.idf_of_rarest)
    wording = WordingIndex(folder / WORDING)
    spelling = Spelling(folder / "spelling")
    languages = Lazy(store.languages)  # reads the head of every article
    phrases = Lazy(partial(_open_phrases, folder, manifest))
    catalogue = Lazy(lambda: Catalogue(store.catalogue_rows(), store.counts()[0]))
    # An older generation may hold articles that have been removed since.
    article_count = store.shown_count()
    shown = store.shown(passages.columns["article"]) if removed else None
    conditions = Conditions(postings, phrases)
    candidates = EmbeddedIndex(
        postings,
        SignalSource(vectors, names, wording, spare_core),
        passages,
        conditions,
        PassageFilter(passages, conditions, store, catalogue, shown),
    )
    return Engine(
        folder=folder,
        manifest=manifest,
        damage=found.damage,
        shown_until=shown_until,
        article_count=article_count,
        weights=weights,
        store=store,
        addresses=addresses,
        catalogue=catalogue,
        phrases=phrases,
        spelling=spelling,
        suggestions=Suggestions(
            folder / "suggestions", base_url.rstrip("/"), hidden_paths(*store.hidden_names())
        ),
        reader=QuestionReader(spelling, Vocabulary(folder / VOCABULARY), languages),
        notices=Notices.load(folder),
        notice_line=NoticeLine.load(manifest.model.sha256),
        encoder=encoder,
        index=candidates,
        ranker=QueryRanker(encoder, candidates, weights, spare_core),
        reranker=reranker,
        confidence=Confidence(article_count, manifest.counts.passages, languages),
        companions=CompanionFinder(folder / "vectors", passages),
        citer=citer,
        neighbourhood=Neighbourhood(store, vectors, citer, shown),
        resources=resources,
    )


def _dated(folder: Path, removed: frozenset[str]) -> tuple[Addresses, frozenset[str], str | None]:
    """The former addresses, the articles that may not be shown, and the day on which the next one expires."""
    expiries, day = expiry_dates(folder / STORE), today()
    expired = {article_id: date for article_id, date in expiries.items() if date <= day}
    addresses = Addresses.load(folder).with_expired(expired)
    next_one = min((date for date in expiries.values() if date > day), default=None)
    return addresses, removed | expired.keys(), next_one


def _open_phrases(folder: Path, manifest: Manifest) -> KeywordIndex:
    """Whoosh's index of a generation, checked file by file against the manifest."""
    from kb.retrieval.phrases import KeywordIndex  # noqa: PLC0415  (only phrases need Whoosh's index)

    return KeywordIndex(folder / "keyword", partial(read_checked, folder, manifest))

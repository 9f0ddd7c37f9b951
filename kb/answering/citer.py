"""From ranked candidates to results: the verbatim passage, its citation, and the reason it is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.answering.reason import reason_for
from kb.answering.snippet import Match, excerpt
from kb.compute.arrays import mapped
from kb.compute.lazy import Lazy
from kb.ranking.ranking import Ranking
from kb.retrieval.candidates import CandidateSearch
from kb.schema.article import Article, Section, article_path
from kb.schema.errors import IndexDamaged
from kb.schema.passage import Passage
from kb.schema.results import Citation, SearchResult, SectionLink
from kb.schema.search_request import Unit
from kb.storage.articles import ArticleStore

FURTHER_DEPTH = 30
"""Number of top sections searched for further sections of a result's article."""

MAX_FURTHER = 3
"""Maximum number of further sections named beside a result."""


class Citer:
    """Makes results from one generation. Safe to share between threads."""

    def __init__(self, folder: Path, store: ArticleStore, base_url: str) -> None:
        """`folder` is the generation's. `base_url` is put before the path of every citation."""

        self._folder = folder
        self._store = store
        self._base_url = base_url
        self._repeated_ids = Lazy(store.repeated_section_ids)
        self.passages = mapped(folder, "passages")
        self._sentences = mapped(folder, "sentences")
        self._sentence_starts = mapped(folder, "vectors/sentence_starts")

    def unit_id(self, row: int, unit: Unit) -> str:
        """The id, for evaluation, of the passage in that row, its section or its article."""
        entry = self.passages[row]
        article = self._store.article_head(int(entry["article"]))
        if unit == "article":
            return article.id
        section = self._store.section(int(entry["section"]))
        if unit == "section":
            is_name = article.section_ids_given and section.id not in self._repeated_ids()
            return section.id if is_name else f"{article.id}#{section.id}"
        return Passage(
            article.id, section.id, int(entry["start"]), int(entry["end"]), int(entry["tokens"])
        ).id

    def page(
        self,
        search: CandidateSearch,
        ranking: Ranking,
        shown: NDArray[np.int64],
        sections: NDArray[np.int64],
        first_rank: int,
    ) -> tuple[SearchResult, ...]:
        """The results for the candidates `shown`, ranked from `first_rank` on. `ranking` is the ranking of `search`.

        `sections` are the candidates for all sections, best first. Sections not shown are named beside the results.
        """
        on_page = set(ranking.sections[shown].tolist())
        below = sections[:FURTHER_DEPTH]
        further: dict[int, list[int]] = {}
        for article, section in zip(
            ranking.articles[below].tolist(), ranking.sections[below].tolist(), strict=True
        ):
            if section not in on_page:
                further.setdefault(article, []).append(section)
        also = [
            further.pop(article, [])[:MAX_FURTHER]  # once an article
            for article in ranking.articles[shown].tolist()
        ]
        page = _Results(
            self,
            self._store,
            search,
            ranking,
            shown,
            (section for others in also for section in others),
        )
        return tuple(
            page.result(candidate, rank, others)
            for rank, (candidate, others) in enumerate(
                zip(shown.tolist(), also, strict=True), first_rank
            )
        )

    def companion(self, search: CandidateSearch, ranking: Ranking, section: int) -> SearchResult:
        """The section by its best candidate, with rank 0. It has at least one. Raises IndexDamaged as `cited` does."""
        own = np.flatnonzero(ranking.sections == section)
        best = own[np.argmax(ranking.scores[own])]
        return _Results(self, self._store, search, ranking, np.array([best])).result(int(best), 0)

    def cited(self, row: int) -> Citation:
        """The citation of the passage in that row. Raises IndexDamaged if its section has another text there."""
        entry = self.passages[row]
        article = self._store.article_head(int(entry["article"]))
        return self.citation_for(row, article, self._store.section(int(entry["section"])))

    def citation_for(self, row: int, article: Article, section: Section) -> Citation:
        """The citation of the passage in that row. `article` may lack its sections. Raises as `cited` does."""
        entry = self.passages[row]
        start, end = int(entry["start"]), int(entry["end"])
        text = section.text[start:end]
        if len(text) != end - start or not text.strip():
            raise IndexDamaged(
                f"{self._folder}: the passage {article.id}#{section.id}@{start} is not in its section. "
                "Run `kb build` to rebuild the index."
            )
        return Citation(
            article_id=article.id,
            article_title=article.display_title,
            section_id=section.id,
            section_heading=section.heading,
            url=self.url(article.id, section.id),
            source_url=article.url,
            quote=text,
            start=start,
            end=end,
            updated=article.updated,
            reviewed=article.reviewed,
        )

    def sentences(self, row: int) -> list[tuple[int, int]]:
        """The sentences of the passage in that row, as ranges of its section, in order. At least one."""
        first, end = self._sentence_starts[row], self._sentence_starts[row + 1]
        own = self._sentences[first:end]
        return list(zip(own["start"].tolist(), own["end"].tolist(), strict=True))

    def url(self, article_id: str, section_id: str) -> str:
        """The address of the article's page, at the section."""
        return self._base_url + article_path(article_id, section_id)


class _Results:
    """The results of some candidates, and what is computed once for all of them."""

    def __init__(
        self,
        citer: Citer,
        store: ArticleStore,
        search: CandidateSearch,
        ranking: Ranking,
        candidates: NDArray[np.int64],
        further: Iterable[int] = (),
    ) -> None:
        """`further` are the ordinals of the sections named beside the results."""
        self._citer = citer
        self._articles = store.article_heads(set(ranking.articles[candidates].tolist()))
        self._sections = store.sections(ranking.sections[candidates].tolist())
        self._further = store.section_names(further)
        self._ranking = ranking
        self._scores = ranking.boosted_scores
        self._marked = search.marked_terms()
        contributions = search.contributions(ranking.rows[candidates])
        self._contributions = dict(zip(candidates.tolist(), contributions, strict=True))

    def result(self, candidate: int, rank: int, also: Sequence[int] = ()) -> SearchResult:
        """The result of one candidate. `also` are the sections in `further` that belong to its article."""
        ranking, weights = self._ranking, self._marked.weights
        article = self._articles[int(ranking.articles[candidate])]
        section = self._sections[int(ranking.sections[candidate])]
        row = int(ranking.rows[candidate])
        citation = self._citer.citation_for(row, article, section)
        sentences = self._citer.sentences(row)
        answer = sentences[int(ranking.candidates.nearest_sentence[candidate])]
        snippet, found = excerpt(
            section.text,
            citation.start,
            citation.end,
            sentences,
            weights,
            answer,
            self._marked.together,
        )
        explanation = ranking.explain(
            candidate, (article.title, *article.aliases), self._contributions[candidate]
        )
        return SearchResult(
            rank=rank,
            score=float(self._scores[candidate]),
            text=citation.quote,
            snippet=snippet,
            highlights=tuple((start, end) for start, end, _ in found),
            citation=citation,
            explanation=explanation,
            why=reason_for(explanation, citation, _by_weight(section.text, found, weights)),
            also=tuple(
                SectionLink(section_id, heading, self._citer.url(article.id, section_id))
                for section_id, heading in map(self._further.__getitem__, also)
            ),
        )


def _by_weight(text: str, found: Sequence[Match], weights: Mapping[str, float]) -> list[str]:
    """The words of `text` that match, one for each term, by descending weight."""
    by_term: dict[str, str] = {}
    for start, end, term in found:
        by_term.setdefault(term, text[start:end])
    return [by_term[term] for term in sorted(by_term, key=lambda term: -weights[term])]

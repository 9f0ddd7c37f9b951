"""Given a ranking and a place in it, the result: the passage word for word, where it stands, and why it is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.answering.reason import why
from kb.answering.snippet import Match, excerpt
from kb.compute.arrays import mapped
from kb.compute.lazy import Once
from kb.ranking.ranking import Ranking
from kb.retrieval.keyword_scores import KeywordScores
from kb.retrieval.postings import VARIANT_WEIGHT
from kb.schema.article import Article, Section, article_path
from kb.schema.errors import IndexDamaged
from kb.schema.passage import Passage
from kb.schema.results import Citation, SearchResult, SectionLink
from kb.schema.search_request import Unit
from kb.storage.articles import ArticleStore

ALSO_DEPTH = 30
"""Further sections of an article are those among the first so many."""

ALSO = 3
"""So many of them are named."""


class Citer:
    """Makes the results of one generation. Safe to share between threads."""

    def __init__(self, folder: Path, store: ArticleStore, base_url: str) -> None:
        """`folder` is the generation's; `base_url` is put before the path of every citation."""

        self._folder = folder
        self._store = store
        self._base_url = base_url
        self._repeated_ids = Once(store.repeated_section_ids)
        self.passages = mapped(folder, "passages")
        self._sentences = mapped(folder, "sentences")
        self._sentence_starts = mapped(folder, "vectors/sentence_starts")

    def unit_id(self, row: int, unit: Unit) -> str:
        """The id, for evaluation, of the passage of that row, its section or its article."""
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
        ranking: Ranking,
        shown: NDArray[np.int64],
        sections: NDArray[np.int64],
        first_rank: int,
    ) -> tuple[SearchResult, ...]:
        """The results of the places `shown`, ranked from `first_rank` on.

        `sections` are the places of all sections, best first, of which those not shown are named beside the others.
        """
        on_page = set(ranking.sections[shown].tolist())
        below = sections[:ALSO_DEPTH]
        further: dict[int, list[int]] = {}
        for article, section in zip(
            ranking.articles[below].tolist(), ranking.sections[below].tolist(), strict=True
        ):
            if section not in on_page:
                further.setdefault(article, []).append(section)
        also = [
            further.pop(article, [])[:ALSO]  # once an article
            for article in ranking.articles[shown].tolist()
        ]
        page = _Results(
            self, self._store, ranking, shown, (section for others in also for section in others)
        )
        return tuple(
            page.result(place, rank, others)
            for rank, (place, others) in enumerate(
                zip(shown.tolist(), also, strict=True), first_rank
            )
        )

    def companion(self, ranking: Ranking, section: int) -> SearchResult:
        """The section by its best candidate, of which there is one; ranked 0. Raises IndexDamaged, as `cited` does."""
        places = np.flatnonzero(ranking.sections == section)
        best = places[np.argmax(ranking.scores[places])]
        return _Results(self, self._store, ranking, np.array([best])).result(int(best), 0)

    def cited(self, row: int) -> Citation:
        """The passage of that row. Raises IndexDamaged where it is not what its section says there."""
        entry = self.passages[row]
        article = self._store.article_head(int(entry["article"]))
        return self.cited_from(row, article, self._store.section(int(entry["section"])))

    def cited_from(self, row: int, article: Article, section: Section) -> Citation:
        """The same; `article`, without its sections, and `section` are those that it stands in."""
        entry = self.passages[row]
        start, end = int(entry["start"]), int(entry["end"])
        text = section.text[start:end]
        if len(text) != end - start or not text.strip():
            raise IndexDamaged(
                f"{self._folder}: the passage {article.id}#{section.id}@{start} is not in its section. "
                "Run `kb build` to make the index anew."
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
        """The sentences of the passage of that row as ranges of its section, in order; at least one."""
        first, end = self._sentence_starts[row], self._sentence_starts[row + 1]
        own = self._sentences[first:end]
        return list(zip(own["start"].tolist(), own["end"].tolist(), strict=True))

    def url(self, article_id: str, section_id: str) -> str:
        """The page of an article here, at the section."""
        return self._base_url + article_path(article_id, section_id)


class _Results:
    """The results of some places of a ranking, with what is worked out for all of them together."""

    def __init__(
        self,
        citer: Citer,
        store: ArticleStore,
        ranking: Ranking,
        places: NDArray[np.int64],
        further: Iterable[int] = (),
    ) -> None:
        """`further` are the ordinals of the sections that are named beside a result."""
        self._citer = citer
        self._articles = store.article_heads(set(ranking.articles[places].tolist()))
        self._sections = store.sections(ranking.sections[places].tolist())
        self._further = store.section_names(further)
        self._ranking = ranking
        self._scores = ranking.shown_scores
        self._wanted = _wanted_terms(ranking.keyword)
        self._names = _other_names(ranking.keyword)
        self._shares = dict(zip(places.tolist(), ranking.term_shares(places), strict=True))

    def result(self, place: int, rank: int, also: Sequence[int] = ()) -> SearchResult:
        """The result of one of the places; `also` are those of `further` that are sections of its article."""
        ranking, wanted = self._ranking, self._wanted
        article = self._articles[int(ranking.articles[place])]
        section = self._sections[int(ranking.sections[place])]
        row = int(ranking.rows[place])
        citation = self._citer.cited_from(row, article, section)
        sentences = self._citer.sentences(row)
        answer = sentences[int(ranking.nearest_sentence[place])]
        snippet, found = excerpt(
            section.text, citation.start, citation.end, sentences, wanted, answer, self._names
        )
        explanation = ranking.explain(place, (article.title, *article.aliases), self._shares[place])
        return SearchResult(
            rank=rank,
            score=float(self._scores[place]),
            text=citation.quote,
            snippet=snippet,
            highlights=tuple((start, end) for start, end, _ in found),
            citation=citation,
            explanation=explanation,
            why=why(explanation, citation, _by_weight(section.text, found, wanted)),
            also=tuple(
                SectionLink(section_id, heading, self._citer.url(article.id, section_id))
                for section_id, heading in map(self._further.__getitem__, also)
            ),
        )


def _wanted_terms(keyword: KeywordScores) -> dict[str, float]:
    """The terms to mark, other names' included, each with what it counts."""
    wanted = {
        found.term: VARIANT_WEIGHT * found.idf
        for concept in keyword.concepts
        for variant in concept.variants
        for found in variant.terms
    }
    return wanted | {found.term: found.idf for found in keyword.matched}


def _other_names(keyword: KeywordScores) -> frozenset[frozenset[str]]:
    """The terms of each other name that the question does not have itself."""
    own = {found.term for found in keyword.matched}
    return frozenset(
        frozenset(found.term for found in variant.terms) - own
        for concept in keyword.concepts
        for variant in concept.variants
    ) - {frozenset()}


def _by_weight(text: str, found: Sequence[Match], wanted: Mapping[str, float]) -> list[str]:
    """The words of `text` that match, one for each term, those that count most first."""
    by_term: dict[str, str] = {}
    for start, end, term in found:
        by_term.setdefault(term, text[start:end])
    return [by_term[term] for term in sorted(by_term, key=lambda term: -wanted[term])]

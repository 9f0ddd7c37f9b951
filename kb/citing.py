"""Given a ranking and a place in it, the result: the passage word for word, where it stands, and why it is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.arrays import mapped
from kb.article import Article, Section, article_path
from kb.errors import IndexDamaged
from kb.keyword_scores import KeywordScores
from kb.passage import Passage
from kb.postings import VARIANT_WEIGHT
from kb.ranking import Ranking, Unit
from kb.results import Citation, SearchResult, SectionLink
from kb.snippet import Match, excerpt
from kb.store import ArticleStore
from kb.why import why

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
            return section.id if article.section_ids_given else f"{article.id}#{section.id}"
        return Passage(
            article.id, section.id, int(entry["start"]), int(entry["end"]), int(entry["tokens"])
        ).id

    def page(
        self,
        ranking: Ranking,
        order: NDArray[np.int64],
        sections: NDArray[np.int64],
        offset: int,
        limit: int,
    ) -> tuple[SearchResult, ...]:
        """The results of the places `order[offset : offset + limit]`; `sections` are the places of all sections."""
        shown = order[offset : offset + limit]
        on_page = set(ranking.sections[shown].tolist())
        further: dict[int, list[int]] = {}
        for place in sections[:ALSO_DEPTH].tolist():
            if int(ranking.sections[place]) not in on_page:
                further.setdefault(int(ranking.articles[place]), []).append(place)
        also = []
        heads = cache(self._store.article_head)  # several results may be of one article
        for place in shown.tolist():
            places = further.pop(int(ranking.articles[place]), [])[:ALSO]  # once an article
            also.append(tuple(self._link(ranking, other, heads) for other in places))
        return self._results(ranking, shown, offset + 1, also, heads)

    def companion(self, ranking: Ranking, place: int) -> SearchResult:
        """The result of one place, ranked 0. Raises IndexDamaged, as `cited` does."""
        heads = self._store.article_head
        return self._results(ranking, np.array([place]), 0, [()], heads)[0]

    def cited(
        self, row: int, heads: Callable[[int], Article] | None = None
    ) -> tuple[Citation, Article, Section]:
        """The passage of that row with its article's head, which `heads` gives by ordinal, and its section.

        Raises IndexDamaged where the passage is not what its section says there.
        """
        entry = self.passages[row]
        article = (heads or self._store.article_head)(int(entry["article"]))
        section = self._store.section(int(entry["section"]))
        start, end = int(entry["start"]), int(entry["end"])
        text = section.text[start:end]
        if len(text) != end - start or not text.strip():
            raise IndexDamaged(
                f"{self._folder}: the passage {article.id}#{section.id}@{start} is not in its section. "
                "Run `kb build` to make the index anew."
            )
        citation = Citation(
            article_id=article.id,
            article_title=article.display_title,
            section_id=section.id,
            section_heading=section.heading,
            url=self._url(article.id, section.id),
            source_url=article.url,
            quote=text,
            start=start,
            end=end,
            updated=article.updated,
            reviewed=article.reviewed,
        )
        return citation, article, section

    def _results(
        self,
        ranking: Ranking,
        places: NDArray[np.int64],
        first_rank: int,
        also: Sequence[tuple[SectionLink, ...]],
        heads: Callable[[int], Article],
    ) -> tuple[SearchResult, ...]:
        wanted = _wanted_terms(ranking.keyword)
        shares = ranking.term_shares(places)
        results = []
        for number, place in enumerate(places.tolist()):
            row = int(ranking.rows[place])
            citation, article, section = self.cited(row, heads)
            sentences = self._sentences_of(row)
            answer = sentences[int(ranking.nearest_sentence[place])]
            snippet, found = excerpt(
                section.text, citation.start, citation.end, sentences, wanted, answer
            )
            names = (article.title, *article.aliases)
            explanation = ranking.explain(place, names, shares[number])
            result = SearchResult(
                rank=first_rank + number,
                score=float(ranking.shown_scores[place]),
                text=citation.quote,
                snippet=snippet,
                highlights=tuple((start, end) for start, end, _ in found),
                citation=citation,
                explanation=explanation,
                why=why(explanation, citation, _by_weight(section.text, found, wanted)),
                also=also[number],
            )
            results.append(result)
        return tuple(results)

    def _sentences_of(self, row: int) -> list[tuple[int, int]]:
        """The sentences of a passage as ranges of its section, in order; at least one."""
        first, end = self._sentence_starts[row], self._sentence_starts[row + 1]
        own = self._sentences[first:end]
        return list(zip(own["start"].tolist(), own["end"].tolist(), strict=True))

    def _link(self, ranking: Ranking, place: int, heads: Callable[[int], Article]) -> SectionLink:
        article = heads(int(ranking.articles[place]))
        section_id, heading = self._store.section_heading(int(ranking.sections[place]))
        return SectionLink(section_id, heading, self._url(article.id, section_id))

    def _url(self, article_id: str, section_id: str) -> str:
        return self._base_url + article_path(article_id, section_id)


def _wanted_terms(keyword: KeywordScores) -> dict[str, float]:
    """The terms to mark, other names' included, each with what it counts."""
    wanted = {
        found.term: VARIANT_WEIGHT * found.idf
        for concept in keyword.concepts
        for variant in concept.variants
        for found in variant.terms
    }
    return wanted | {found.term: found.idf for found in keyword.matched}


def _by_weight(text: str, found: Sequence[Match], wanted: Mapping[str, float]) -> list[str]:
    """The words of `text` that match, one for each term, those that count most first."""
    by_term: dict[str, str] = {}
    for start, end, term in found:
        by_term.setdefault(term, text[start:end])
    return [by_term[term] for term in sorted(by_term, key=lambda term: -wanted[term])]

"""The articles and sections of a generation, by ordinal or id.

They are in one SQLite file, `articles.sqlite`, opened read-only and immutable. Ordinals count from 0: articles sorted
by id, and sections by article and position in it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.schema.article import Article, ArticleSummary, Section, Source
from kb.schema.errors import IndexDamaged, KbError
from kb.storage.catalogue import Row

FILE = "articles.sqlite"

CLOSED = "This knowledge base was closed: open it again to ask it."

SCHEMA = """
CREATE TABLE articles (
    ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, url TEXT NOT NULL,
    updated TEXT, reviewed TEXT, publish TEXT, expires TEXT, language TEXT NOT NULL,
    aliases TEXT NOT NULL, sources TEXT NOT NULL, tags TEXT NOT NULL, related TEXT NOT NULL,
    section_ids_given INTEGER NOT NULL, section_count INTEGER NOT NULL
);
CREATE INDEX articles_by_title ON articles (title COLLATE NOCASE, id);
CREATE TABLE sections (
    ordinal INTEGER PRIMARY KEY, article INTEGER NOT NULL, id TEXT NOT NULL,
    heading TEXT NOT NULL, level INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE INDEX sections_by_article ON sections (article);
"""

_ARTICLE = (
    "id, title, url, updated, reviewed, publish, expires, language, aliases, sources, tags, related,"
    " section_ids_given"
)
_SHOWN = "id NOT IN (SELECT value FROM json_each(?2))"
_GIVEN = "(SELECT value FROM json_each(?))"
_SUMMARY = "id, title, url, updated, reviewed, language, tags, section_count"


def article_row(article: Article) -> tuple[Any, ...]:
    """The article's columns from `id` to `section_count`, for writing."""
    return (
        article.id,
        article.title,
        article.url,
        article.updated,
        article.reviewed,
        article.publish,
        article.expires,
        article.language,
        json.dumps(article.aliases, ensure_ascii=False),
        json.dumps([[source.title, source.url] for source in article.sources], ensure_ascii=False),
        json.dumps(article.tags, ensure_ascii=False),
        json.dumps(article.related, ensure_ascii=False),
        article.section_ids_given,
        len(article.sections),
    )


def article_digest(article: Article) -> str:
    """The digest of an article's content: 32 hexadecimal digits of its SHA-256."""
    sections = [
        (section.id, section.heading, section.level, section.text) for section in article.sections
    ]
    content = json.dumps([article_row(article), sections], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def expiry_dates(path: Path) -> dict[str, str]:
    """The expiry dates (YYYY-MM-DD) of a store's articles, by id. Raises IndexDamaged."""
    store = ArticleStore(path)
    try:
        return store.expiry_dates()
    finally:
        store.close()


class ArticleStore:
    """The canonical text of one generation. Safe to share between threads.

    Articles in `removed` are not listed, and cannot be found by id or title. Every look-up raises IndexDamaged if the
    file is damaged, and KbError once the store is closed.
    """

    def __init__(
        self,
        path: Path,
        removed: Collection[str] = (),
        current: Callable[[str], str] = lambda article_id: article_id,
    ) -> None:
        """`current` maps the former id of an article to its present one. `ordinal` accepts both."""
        self._current = current
        self._removed = json.dumps(sorted(removed))
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._path = path
        self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        # One lock for all threads: a look-up takes some 20 µs, encoding a question a hundred times that.
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        try:
            with self._lock:
                return self._connection.execute(sql, values).fetchall()
        except sqlite3.ProgrammingError:
            raise KbError(CLOSED) from None
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(
                f"{self._path}: cannot be read ({error}). Run `kb build` to rebuild the index."
            ) from error

    def counts(self) -> tuple[int, int]:
        """The number of articles and the number of sections."""
        rows = self._rows("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM sections)")
        articles, sections = rows[0]
        return articles, sections

    def languages(self) -> frozenset[str]:
        """The BCP 47 tags of the articles' languages."""
        return frozenset(row[0] for row in self._rows("SELECT DISTINCT language FROM articles"))

    def article_by_id(self, article_id: str) -> Article | None:
        """The article with that id with all its sections, or None."""
        if not _is_text(article_id):
            return None
        rows = self._rows(
            f"SELECT ordinal, {_ARTICLE} FROM articles WHERE id = ?1 AND {_SHOWN}",  # noqa: S608
            article_id,
            self._removed,
        )
        return self._article(rows[0][0], rows[0][1:]) if rows else None

    def articles(self, ids: Collection[str] | None = None) -> Iterator[Article]:
        """All articles with their sections, or those with the given ids, sorted by id."""
        if ids is None:
            ids = [article_id for (article_id,) in self._rows("SELECT id FROM articles")]
        for article_id in sorted(ids):
            article = self.article_by_id(article_id)
            if article is not None:
                yield article

    def outlines(self) -> Iterator[Article]:
        """All articles sorted by id, without the texts of their sections."""
        sections: dict[int, list[Section]] = {}
        for article, section_id, heading, level in self._rows(
            "SELECT article, id, heading, level FROM sections ORDER BY ordinal"
        ):
            sections.setdefault(article, []).append(Section(section_id, heading, level, ""))
        heads = self._rows(
            f"SELECT ordinal, {_ARTICLE} FROM articles ORDER BY ordinal"  # noqa: S608
        )
        for ordinal, *head in heads:
            yield _head(head, tuple(sections.get(ordinal, ())))

    def shown_count(self) -> int:
        """Number of articles, without removed ones."""
        count: int = self._rows(
            f"SELECT count(*) FROM articles WHERE {_SHOWN}",  # noqa: S608
            None,
            self._removed,
        )[0][0]
        return count

    def shown(self, owners: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Mask of the rows whose article was not removed. `owners` are the ordinals of the rows' articles."""
        rows = self._rows(
            "SELECT ordinal FROM articles WHERE id IN (SELECT value FROM json_each(?))",
            self._removed,
        )
        return ~np.isin(owners, [ordinal for (ordinal,) in rows])

    def expiry_dates(self) -> dict[str, str]:
        """The expiry dates of the articles, by id."""
        return dict(self._rows("SELECT id, expires FROM articles WHERE expires IS NOT NULL"))

    def hidden_names(self) -> tuple[frozenset[str], frozenset[str]]:
        """The ids of removed articles in the file, and the names (titles, aliases) that only they have."""
        if self._removed == "[]":
            return frozenset(), frozenset()
        removed = frozenset(json.loads(self._removed))
        ids: set[str] = set()
        hidden: set[str] = set()
        shown: set[str] = set()
        for article_id, title, aliases in self._rows("SELECT id, title, aliases FROM articles"):
            names = (title or article_id, *json.loads(aliases))
            (hidden if article_id in removed else shown).update(names)
            if article_id in removed:
                ids.add(article_id)
        return frozenset(ids), frozenset(hidden - shown)

    def article_head(self, ordinal: int) -> Article:
        """The article with that ordinal without its sections."""
        return self.article_heads((ordinal,))[ordinal]

    def section(self, ordinal: int) -> Section:
        """The section with that ordinal."""
        return self.sections((ordinal,))[ordinal]

    def article_heads(self, ordinals: Iterable[int]) -> dict[int, Article]:
        """The articles with these ordinals without their sections, in one query."""
        sql = f"SELECT ordinal, {_ARTICLE} FROM articles WHERE ordinal IN {_GIVEN}"  # noqa: S608
        rows = self._rows(sql, json.dumps(sorted(ordinals)))
        return {ordinal: _head(row, ()) for ordinal, *row in rows}

    def sections(self, ordinals: Iterable[int]) -> dict[int, Section]:
        """The sections with these ordinals."""
        sql = f"SELECT ordinal, id, heading, level, text FROM sections WHERE ordinal IN {_GIVEN}"  # noqa: S608
        rows = self._rows(sql, json.dumps(sorted(ordinals)))
        return {ordinal: Section(*row) for ordinal, *row in rows}

    def section_names(self, ordinals: Iterable[int]) -> dict[int, tuple[str, str]]:
        """The ids and headings of the sections with these ordinals."""
        sql = f"SELECT ordinal, id, heading FROM sections WHERE ordinal IN {_GIVEN}"  # noqa: S608
        rows = self._rows(sql, json.dumps(sorted(ordinals)))
        return {ordinal: (section_id, heading) for ordinal, section_id, heading in rows}

    def summaries(self, limit: int, offset: int) -> list[ArticleSummary]:
        """One page of the articles, sorted by title, ignoring ASCII case, then by id."""
        rows = self._rows(
            f"SELECT {_SUMMARY} FROM articles WHERE {_SHOWN}"  # noqa: S608
            " ORDER BY title COLLATE NOCASE, id LIMIT ?1 OFFSET ?3",
            limit,
            self._removed,
            offset,
        )
        return [_summary(row) for row in rows]

    def summaries_of(self, ordinals: Sequence[int]) -> list[ArticleSummary]:
        """The articles with these ordinals, in the given order."""
        sql = f"SELECT {_SUMMARY} FROM articles WHERE ordinal = ?1 AND {_SHOWN}"  # noqa: S608
        return [
            _summary(row) for ordinal in ordinals for row in self._rows(sql, ordinal, self._removed)
        ]

    def catalogue_rows(self) -> list[Row]:
        """The rows that `kb.storage.catalogue` is made from."""
        rows = self._rows(
            "SELECT ordinal, id, title, tags, url, language, updated, reviewed FROM articles"  # noqa: S608
            f" WHERE {_SHOWN}",
            None,
            self._removed,
        )
        return [
            Row(ordinal, title or article_id, tuple(json.loads(tags)), *rest)
            for ordinal, article_id, title, tags, *rest in rows
        ]

    def ordinal(self, article_id: str) -> int | None:
        """The ordinal of the article that has or had that id, or None."""
        if not _is_text(article_id):
            return None
        sql = f"SELECT ordinal FROM articles WHERE id = ?1 AND {_SHOWN}"  # noqa: S608
        rows = self._rows(sql, article_id, self._removed)
        current = self._current(article_id)
        if not rows and current != article_id:
            rows = self._rows(sql, current, self._removed)
        return rows[0][0] if rows else None

    def section_ordinal(self, article: int, section_id: str) -> int | None:
        """The ordinal of a section, by its id and the ordinal of its article, or None."""
        if not _is_text(section_id):
            return None
        sql = "SELECT ordinal FROM sections WHERE article = ? AND id = ?"
        rows = self._rows(sql, article, section_id)
        return rows[0][0] if rows else None

    def repeated_section_ids(self) -> frozenset[str]:
        """The section ids that a collection gave to sections of several articles."""
        sql = (
            "SELECT sections.id FROM sections JOIN articles ON articles.ordinal = sections.article"
            " WHERE section_ids_given GROUP BY sections.id HAVING count(*) > 1"
        )
        return frozenset(section_id for (section_id,) in self._rows(sql))

    def find_summary(self, name: str) -> ArticleSummary | None:
        """The article whose id is `name`, otherwise the one whose title is, ignoring ASCII case."""
        if not _is_text(name):
            return None
        rows = self._rows(
            f"SELECT {_SUMMARY} FROM articles WHERE (id = ?1 OR title = ?1 COLLATE NOCASE) AND {_SHOWN}"  # noqa: S608
            " ORDER BY id = ?1 DESC, id LIMIT 1",
            name,
            self._removed,
        )
        return _summary(rows[0]) if rows else None

    def _article(self, ordinal: int, row: Any) -> Article:
        sections = self._rows(
            "SELECT id, heading, level, text FROM sections WHERE article = ? ORDER BY ordinal",
            ordinal,
        )
        return _head(row, tuple(Section(*section) for section in sections))


def _is_text(name: str) -> bool:
    """Whether SQLite accepts the name. It refuses command line bytes that are not UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _listed(written: str) -> tuple[Any, ...]:
    return () if written == "[]" else tuple(json.loads(written))


def _head(row: Any, sections: tuple[Section, ...]) -> Article:
    article_id, title, url, updated, reviewed, publish, expires, language, *rest = row
    aliases, sources, tags, related, given = rest
    return Article(
        id=article_id,
        title=title,
        sections=sections,
        aliases=_listed(aliases),
        url=url,
        sources=tuple(Source(*source) for source in _listed(sources)),
        updated=updated,
        reviewed=reviewed,
        publish=publish,
        expires=expires,
        language=language,
        tags=_listed(tags),
        related=_listed(related),
        section_ids_given=bool(given),
    )


def _summary(row: Any) -> ArticleSummary:
    article_id, title, url, updated, reviewed, language, tags, section_count = row
    return ArticleSummary(
        article_id, title, url, updated, reviewed, language, tuple(json.loads(tags)), section_count
    )

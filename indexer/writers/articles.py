"""The store that `kb.storage.articles` reads, with rows in the order of article ids."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.schema.article import Article
from kb.storage.articles import SCHEMA, article_row


def write_store(path: Path, articles: Iterable[Article]) -> tuple[int, int]:
    """Write the store and return the numbers of articles and of sections.

    The articles are streamed: they are put down as they come and numbered by id afterwards.
    """
    staged = path.with_suffix(".staged")
    with closing(sqlite3.connect(staged)) as connection:
        # Thrown away if anything goes wrong: no journal, no waiting for the disk.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        _stage(connection, articles)
        with closing(sqlite3.connect(path)) as final:
            final.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            final.executescript(SCHEMA)
            counts = _number(connection, final)
            final.commit()
    staged.unlink()
    return counts


def _stage(connection: sqlite3.Connection, articles: Iterable[Article]) -> None:
    connection.execute(
        "CREATE TABLE articles (id TEXT PRIMARY KEY, title, url, updated, reviewed, publish, expires, language,"
        " aliases, sources, tags, related, given, section_count)"
    )
    connection.execute(
        "CREATE TABLE sections (article TEXT, place INTEGER, id, heading, level, text,"
        " PRIMARY KEY (article, place))"
    )
    for article in articles:
        connection.execute(
            f"INSERT INTO articles VALUES ({', '.join('?' * 14)})",  # noqa: S608
            article_row(article),
        )
        connection.executemany(
            "INSERT INTO sections VALUES (?, ?, ?, ?, ?, ?)",
            (
                (article.id, place, section.id, section.heading, section.level, section.text)
                for place, section in enumerate(article.sections)
            ),
        )


def _number(staged: sqlite3.Connection, final: sqlite3.Connection) -> tuple[int, int]:
    sections = 0
    ordinal = -1
    for ordinal, row in enumerate(staged.execute("SELECT * FROM articles ORDER BY id")):
        final.execute(
            f"INSERT INTO articles VALUES ({', '.join('?' * 15)})",  # noqa: S608
            (ordinal, *row),
        )
        for section in _sections(staged, row[0]):
            final.execute(
                "INSERT INTO sections VALUES (?, ?, ?, ?, ?, ?)", (sections, ordinal, *section)
            )
            sections += 1
    return ordinal + 1, sections


def _sections(staged: sqlite3.Connection, article_id: str) -> Iterator[tuple[str, str, int, str]]:
    yield from staged.execute(
        "SELECT id, heading, level, text FROM sections WHERE article = ? ORDER BY place",
        (article_id,),
    )


class MergedOrdinals(NamedTuple):
    """Where the rows of two stores went: for each old ordinal the new one, or -1 where it was left out. int64."""

    articles: NDArray[np.int64]
    sections: NDArray[np.int64]
    new_articles: NDArray[np.int64]
    new_sections: NDArray[np.int64]


def merge_stores(
    path: Path, base: Path, removed_ids: Collection[str], additions: Path
) -> MergedOrdinals:
    """Write the store of all of `base` but the articles `removed_ids`, and of all of `additions`, which share no id.

    The same rows as `write_store` would give for these articles.
    """
    with closing(sqlite3.connect(path, uri=True)) as final:
        final.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        final.executescript(SCHEMA)
        for name, store in (("base", base), ("additions", additions)):
            uri = f"{store.resolve().as_uri()}?mode=ro&immutable=1"
            final.execute(f"ATTACH ? AS {name}", (uri,))
        final.execute("CREATE TEMP TABLE removed_ids (id TEXT PRIMARY KEY) WITHOUT ROWID")
        final.executemany(
            "INSERT INTO removed_ids VALUES (?)", ((article_id,) for article_id in removed_ids)
        )
        for table, statement in (("article_map", _MAP_ARTICLES), ("section_map", _MAP_SECTIONS)):
            final.execute(
                f"CREATE TEMP TABLE {table} (ordinal INTEGER PRIMARY KEY, source, old INTEGER)"
            )
            final.execute(f"CREATE INDEX temp.{table}_by_old ON {table} (source, old)")
            final.execute(f"INSERT INTO {table} {statement}")
        for source in ("base", "additions"):
            final.execute(_COPY_ARTICLES.format(source))
            final.execute(_COPY_SECTIONS.format(source))
        final.commit()
        return MergedOrdinals(
            *(
                _ordinals(final, source, kind)
                for source in ("base", "additions")
                for kind in ("article", "section")
            )
        )


_MAP_ARTICLES = """
SELECT row_number() OVER (ORDER BY id) - 1, source, ordinal FROM (
    SELECT 'base' AS source, ordinal, id FROM base.articles WHERE id NOT IN (SELECT id FROM removed_ids)
    UNION ALL SELECT 'additions', ordinal, id FROM additions.articles
)
"""
_MAP_SECTIONS = """
SELECT row_number() OVER (ORDER BY article, old) - 1, source, old FROM (
    SELECT 'base' AS source, s.ordinal AS old, m.ordinal AS article
    FROM base.sections s JOIN article_map m ON m.source = 'base' AND m.old = s.article
    UNION ALL SELECT 'additions', s.ordinal, m.ordinal
    FROM additions.sections s JOIN article_map m ON m.source = 'additions' AND m.old = s.article
)
"""
_COPY_ARTICLES = """
INSERT INTO main.articles
SELECT m.ordinal, a.id, a.title, a.url, a.updated, a.reviewed, a.publish, a.expires, a.language, a.aliases,
    a.sources, a.tags, a.related, a.section_ids_given, a.section_count
FROM article_map m JOIN {0}.articles a ON a.ordinal = m.old WHERE m.source = '{0}' ORDER BY m.ordinal
"""
_COPY_SECTIONS = """
INSERT INTO main.sections
SELECT m.ordinal, o.ordinal, s.id, s.heading, s.level, s.text
FROM section_map m JOIN {0}.sections s ON s.ordinal = m.old
JOIN article_map o ON o.source = '{0}' AND o.old = s.article
WHERE m.source = '{0}' ORDER BY m.ordinal
"""


def _ordinals(connection: sqlite3.Connection, source: str, kind: str) -> NDArray[np.int64]:
    count = connection.execute(f"SELECT count(*) FROM {source}.{kind}s").fetchone()[0]  # noqa: S608
    found = np.full(count, -1, dtype=np.int64)
    rows = connection.execute(
        f"SELECT old, ordinal FROM {kind}_map WHERE source = ?",  # noqa: S608
        (source,),
    ).fetchall()
    if rows:
        old, new = np.array(rows, dtype=np.int64).T
        found[old] = new
    return found

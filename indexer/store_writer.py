"""Given articles in any order, the store that `kb.store` reads, its rows in the order of article ids."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from kb.article import Article
from kb.store import SCHEMA, article_row


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
        "CREATE TABLE articles (id TEXT PRIMARY KEY, title, url, updated, reviewed, language,"
        " aliases, sources, tags, related, given, section_count)"
    )
    connection.execute(
        "CREATE TABLE sections (article TEXT, place INTEGER, id, heading, level, text,"
        " PRIMARY KEY (article, place))"
    )
    for article in articles:
        connection.execute(
            f"INSERT INTO articles VALUES ({', '.join('?' * 12)})",  # noqa: S608
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
            f"INSERT INTO articles VALUES ({', '.join('?' * 13)})",  # noqa: S608
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

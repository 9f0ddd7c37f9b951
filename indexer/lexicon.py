"""Given corpora, what a generation knows of words: the publisher's notices, and names that mean the same.

They come from two files that may stand in the root of a corpus that is a folder, `notices.yaml` and
`vocabulary.yaml`; names come from the articles' titles and aliases as well. A file that cannot be used is left out as
a whole and reported as an article would be; everything else is built.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from indexer.corpus import CorpusFile, list_lexicons, read_bytes
from indexer.readers.notices import read_notices
from indexer.readers.vocabulary import Group, read_vocabulary
from indexer.vocabulary_writer import article_group, write_vocabulary
from kb.errors import ArticleError
from kb.notices import NoticeRule, Notices
from kb.store import FILE as STORE
from kb.vocabulary import FOLDER as VOCABULARY


@dataclass(slots=True)
class Lexicon:
    """The notices and groups of all corpora, in their order, and the files that could not be used."""

    rules: list[NoticeRule] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    failures: list[ArticleError] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    """The place of each notice by its id."""

    def read(self, file: CorpusFile) -> None:
        """Add what a file holds. Raises ArticleError, and then adds nothing."""
        data = read_bytes(file.path)
        if file.name == "vocabulary.yaml":
            self.groups += read_vocabulary(file.path, data)
            return
        placed = read_notices(file.path, data)
        for entry in placed:
            notice = entry.rule.notice
            if notice.id in self.places:
                first = self.places[notice.id]
                reason = f'the id "{notice.id}" is already that of {first}: give one another id'
                raise ArticleError(file.path, reason, entry.line)
        for entry in placed:
            self.places[entry.rule.notice.id] = f"{file.path}:{entry.line}"
            self.rules.append(entry.rule)


def read_lexicon(corpora: Sequence[Path]) -> Lexicon:
    """Read the files of all corpora."""
    files, refused = list_lexicons(corpora)
    lexicon = Lexicon(failures=list(refused))
    for file in files:
        try:
            lexicon.read(file)
        except ArticleError as error:
            lexicon.failures.append(error)
    return lexicon


def write_lexicon(folder: Path, lexicon: Lexicon) -> None:
    """Write `notices.json` and `vocabulary/` into the folder of a generation that has its articles."""
    Notices.save(folder, lexicon.rules)
    with closing(sqlite3.connect(folder / STORE)) as connection:
        write_vocabulary(folder / VOCABULARY, lexicon.groups, _article_groups(connection))


def _article_groups(connection: sqlite3.Connection) -> Iterator[Group]:
    rows = connection.execute("SELECT title, aliases FROM articles ORDER BY ordinal")
    for title, aliases in rows:
        yield article_group(title, json.loads(aliases))

"""What a generation knows of words: the publisher's notices and the synonym groups.

They come from two files that may stand in the root of a corpus that is a folder, `notices.yaml` and
`vocabulary.yaml`; names come from the articles' titles and aliases as well. A file that cannot be used is left out as
a whole and reported as an article would be; everything else is built. A generation keeps what was read, the groups in
`groups.json`, so that a copy of it without some articles has the same words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.corpus.files import CorpusFile, list_lexicons
from indexer.corpus.reading import read_bytes
from indexer.lexicon.compile_vocabulary import article_group, write_vocabulary
from indexer.lexicon.notices_file import read_notices
from indexer.lexicon.vocabulary_file import Group, read_vocabulary
from indexer.passages.texts import Library
from kb.question.notices import NoticeRule, Notices
from kb.question.vocabulary import FOLDER as VOCABULARY
from kb.schema.errors import ArticleError, IndexDamaged

GROUPS_FILE = "groups.json"


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


def write_lexicon(folder: Path, lexicon: Lexicon, library: Library) -> None:
    """Write `notices.json`, `groups.json` and `vocabulary/` into the folder of a generation."""
    Notices.save(folder, lexicon.rules)
    (folder / GROUPS_FILE).write_text(
        json.dumps(lexicon.groups, ensure_ascii=False), encoding="utf-8"
    )
    groups = (article_group(title, aliases) for title, *aliases in library.names_by_article())
    write_vocabulary(folder / VOCABULARY, lexicon.groups, groups)


def load_lexicon(folder: Path) -> Lexicon:
    """What a generation was given. Raises IndexDamaged."""
    try:
        groups = [tuple(group) for group in json.loads((folder / GROUPS_FILE).read_bytes())]
        return Lexicon(Notices.load_rules(folder), groups)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(
            f"{folder}: the notices or groups cannot be read ({type(error).__name__}). "
            "Run `kb build` to rebuild the index."
        ) from error

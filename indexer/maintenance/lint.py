"""Checks of a corpus for its authors.

Markdown is checked in full. Plain text has no place for aliases, sources and dates, and a JSONL
collection comes from elsewhere, so those are held only to what breaks for a reader: articles that
cannot be read, related articles that do not exist, dates to come, sections without text. So are
`notices.yaml` and `vocabulary.yaml`: to what would keep a build from using them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

from indexer.corpus.files import CorpusFile, Place, list_files, list_lexicons
from indexer.corpus.reading import duplicate_id, read_bytes, read_file, refuse_foreign_form
from indexer.corpus.scan import Scan
from indexer.corpus.unsupported_files import nothing_usable
from indexer.identity.ledger import Address, reserved
from indexer.lexicon.lexicon import read_lexicon
from indexer.maintenance.skeleton import PLACEHOLDER_TEXT
from indexer.readers.forms import MARKDOWN, PLAIN_TEXT, is_collection, reader_form
from indexer.readers.markdown import FrontMatterError, Link, MarkdownArticle, parse_markdown
from kb.schema.article import Article, Section
from kb.schema.errors import ArticleError, CorpusError

SECTION_MAX_WORDS = 1500

_EXTERNAL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|/")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: `code` names its kind, `line` is None if no line is at fault."""

    path: str
    line: int | None
    code: str
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.code}: {self.message}"


def lint(paths: Sequence[Path], today: date | None = None) -> list[Finding]:
    """The findings, by file in the corpus's order, then by line, code and message.

    Needs no index. `today` is for dates to come, by default the date it is somewhere on Earth.
    Raises CorpusError as `indexer.corpus.files.list_files` does, and where there is nothing to look at,
    but not for a corpus of nothing but broken articles: they are findings.
    """
    files, refused = list_files(paths)
    if not files and not refused and not any(list_lexicons(paths)):
        raise CorpusError(nothing_usable(paths, files, refused))
    scan = Scan(paths, may_be_empty=True)
    scan.finish()
    # An author east of Greenwich may be a day ahead of UTC.
    survey = _Survey(today or (datetime.now(UTC) + timedelta(hours=14)).date())
    survey.ids = {(scan.place_of(claim)): each for claim, each in scan.naming.ids.items()}
    survey.owners = {
        scan.place_of(claim): scan.place_of(owner)
        for claim, owner in scan.naming.duplicates.items()
    }
    survey.reserved = {
        scan.place_of(claim): address for claim, address in scan.naming.reserved.items()
    }
    for error in refused:
        survey.add_error(error)
    for file in files:
        survey.read(file)
    for error in read_lexicon(paths).failures:
        survey.add_error(error)
    survey.check_references()
    order = {str(file.path): position for position, file in enumerate(files)}
    return sorted(
        survey.findings,
        key=lambda f: (order.get(f.path, len(order)), f.path, f.line or 0, f.code, f.message),
    )


@dataclass(slots=True)
class _Survey:
    """What is known of the corpus so far; references are checked when all of it is."""

    today: date
    findings: list[Finding] = field(default_factory=list)
    ids: dict[Place, str] = field(default_factory=dict)
    owners: dict[Place, Place] = field(default_factory=dict)
    reserved: dict[Place, Address] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)
    related: list[tuple[Place, str]] = field(default_factory=list)
    links: list[tuple[Path, Link]] = field(default_factory=list)
    anchors: dict[Path, set[str]] = field(default_factory=dict)

    def add(self, place: Place, code: str, message: str) -> None:
        self.findings.append(Finding(str(place.path), place.line, code, message))

    def add_error(self, error: ArticleError, code: str = "unreadable") -> None:
        self.findings.append(Finding(error.path, error.line, code, error.reason))

    def read(self, file: CorpusFile) -> None:
        form = reader_form(file.path.name)
        if form is MARKDOWN:
            try:
                content = read_bytes(file.path)
                refuse_foreign_form(file.path, content)
                parsed = parse_markdown(file.path, content)
            except FrontMatterError as error:
                for each in error.errors:
                    self.add_error(each)
            except ArticleError as error:
                self.add_error(error)
            else:
                self._markdown(file.path, parsed)
            return
        for line, item in read_file(file.path):
            if isinstance(item, ArticleError):
                self.add_error(item)
                continue
            place = Place(file.path, line)
            self._article(place, item, _always(place), {})
            if form is PLAIN_TEXT:
                self.anchors[file.path.resolve()] = {section.id for section in item.sections}
                self._structure(place, item.sections, {})

    def check_references(self) -> None:
        for place, name in self.related:
            if name not in self.known and _folded(name) not in self.titles:
                message = f'related "{name}" is no article\'s id or title: correct it or delete it'
                self.add(place, "unknown-related", message)
        for path, link in self.links:
            problem = self._link_problem(path, link.target)
            if problem:
                self.add(Place(path, link.line), "broken-link", problem)

    def _markdown(self, path: Path, parsed: MarkdownArticle) -> None:
        article = parsed.article

        def at(key: str) -> Place:
            return Place(path, parsed.key_lines.get(key))

        self._article(at("id"), article, at, parsed.section_lines)
        if not article.aliases:
            self.add(at("aliases"), "missing-aliases", "no aliases: add the words readers use")
        if not article.sources:
            self.add(at("sources"), "missing-sources", "no sources: add where the facts are from")
        for source in article.sources:
            if not source.url:
                self.add(at("sources"), "source-without-url", f'add a url to "{source.title}"')
        if article.updated is None:
            self.add(at("updated"), "missing-updated", "no updated: add the date of the last edit")
        self._structure(Place(path, None), article.sections, parsed.section_lines)
        for line in parsed.no_headings:
            message = "is text and no heading: put a space after its #, or a backslash before"
            self.add(Place(path, line), "unspaced-heading", message)
        self.links += ((path, link) for link in parsed.links)
        self.anchors[path.resolve()] = {section.id for section in article.sections}

    def _article(
        self,
        place: Place,
        article: Article,
        at: Callable[[str], Place],
        section_lines: Mapping[str, int],
    ) -> None:
        """What holds for every form; `at` is the place of a key."""
        where = place if is_collection(place.path.name) else Place(place.path, None)
        if where in self.owners:
            self.add_error(duplicate_id(article.id, place, self.owners[where]), "duplicate-id")
        elif where in self.reserved:
            self.add(place, "reserved-id", reserved(self.reserved[where]))
        self.known.add(self.ids.get(where, article.id))
        self.titles.add(_folded(article.title))
        self.related += ((at("related"), name) for name in article.related)
        for key, value in (("updated", article.updated), ("reviewed", article.reviewed)):
            if value is not None and value > self.today.isoformat():
                self.add(at(key), "future-date", f"{key} {value} is still to come")
        for section, below in zip(article.sections, (*article.sections[1:], None), strict=True):
            # A heading whose text is all under its subheadings is no mistake.
            if not section.text.strip() and (below is None or below.level <= section.level):
                line = section_lines.get(section.id, place.line)
                message = f'no text under "{section.heading or section.id}": write some, or drop it'
                self.add(Place(place.path, line), "empty-section", message)

    def _structure(self, place: Place, sections: Sequence[Section], lines: dict[str, int]) -> None:
        """What holds for articles that people write here."""
        seen: set[str] = set()
        level = 1
        for section in sections:
            at = Place(place.path, lines.get(section.id))
            words = len(section.text.split())
            if words > SECTION_MAX_WORDS:
                message = f"{words} words without a heading: divide them, about 300 a section"
                self.add(at, "long-section", message)
            if section.text == PLACEHOLDER_TEXT:
                self.add(at, "placeholder", f'still says "{PLACEHOLDER_TEXT}"')
            if not section.heading:
                continue
            if _folded(section.heading) in seen:
                message = f'"{section.heading}" is a heading twice: tell them apart'
                self.add(at, "repeated-heading", message)
            seen.add(_folded(section.heading))
            if section.level > level + 1:
                message = f'"{section.heading}" is of level {section.level} below level {level}'
                self.add(at, "skipped-level", f"{message}: use {'#' * (level + 1)}")
            level = section.level

    def _link_problem(self, path: Path, target: str) -> str:
        """What is wrong with a link from `path`; "" if nothing is, or it leads elsewhere."""
        if _EXTERNAL.match(target):
            return ""
        address, _, anchor = target.partition("#")
        name = unquote(address.partition("?")[0])
        file = Path(os.path.normpath(path.parent / name)) if name else path
        try:
            known = self.anchors.get(file.resolve())
            missing = known is None and not file.exists()
        except (OSError, ValueError, RuntimeError):  # a name that no file can have
            known, missing = None, True
        if missing:
            return f'"{unquote(target)}" leads to no file: correct it'
        if known is not None and anchor and unquote(anchor) not in known:
            near = f"has only {', '.join(sorted(known))}"
            return f'"{unquote(target)}" leads to no section: {file.name} {near}'
        return ""


def _always(place: Place) -> Callable[[str], Place]:
    return lambda _: place


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()

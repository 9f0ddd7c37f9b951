"""What is wrong with an index: each generation hashed, opened as whoever answers opens it, and every passage looked up.

What a hash proves is that the bytes are those that were written. Whether they can still be used is another question:
so everything that is called whole was loaded, a text was encoded, and a phrase was found. So is what lies beside the
generations.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from indexer.maintenance.array_shapes import misshapen
from kb.answering.care_companion import CompanionFinder
from kb.question.notices import Notices
from kb.question.spelling import Spelling
from kb.question.suggestions import Suggestions
from kb.question.tokenised import TokenisedText
from kb.question.vocabulary import FOLDER as VOCABULARY
from kb.question.vocabulary import Vocabulary
from kb.ranking import tuned_weights
from kb.retrieval.encoder import FOR_PASSAGES, FOR_QUESTIONS, Encoder
from kb.retrieval.names import NameIndex
from kb.retrieval.phrases import KeywordIndex
from kb.retrieval.postings import Postings
from kb.retrieval.vectors import VectorIndex
from kb.schema.errors import IndexFormatMismatch, IndexUnusable, KbError
from kb.storage.articles import FILE as STORE
from kb.storage.articles import ArticleStore
from kb.storage.catalogue import Catalogue
from kb.storage.generation import (
    current_generation,
    generation_path,
    generations,
    open_by_id,
    pinned_generation,
    read_checked,
)
from kb.storage.keys import KeyRing, keys_file
from kb.storage.manifest import Manifest, format_version
from kb.storage.open_newest import REMOVED_FILE, removed_articles
from kb.storage.passage_table import PassageTable
from kb.storage.sources import Sources
from kb.text.analysis import terms
from kb.text.bm25f import FIELDS

_REMEDY = "Run `kb build`."
_TASKS = "tasks/tasks.sqlite"
_CACHE = "cache/embeddings.sqlite"
_UNCHANGING = "mode=ro&immutable=1"
_NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_UNIT = 0.05
"""Maximum distance of a vector's length from 1, where a question is encoded in 8 bits."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """One generation, or, where `generation` is empty, the `file` of the index that lies beside them.

    `damage` says what is wrong with it, None if it is whole. `format_version` is that of a generation which another
    version of the program wrote: then it was not opened.
    """

    generation: str
    live: bool
    pinned: bool
    damage: str | None
    format_version: int | None = None
    file: str = ""

    @property
    def stops_answers(self) -> bool:
        """Whether questions are not answered from the live generation as they should be, because of this."""
        return self.damage is not None and (self.live or self.file == tuned_weights.FILE)


def inspect(index: Path) -> list[Inspected]:
    """All generations, newest first, then what is damaged beside them.

    Raises IndexMissing or IndexDamaged if nobody can say which generation is live.
    """
    live = current_generation(index)
    pinned = pinned_generation(index)
    there = generations(index)
    if live not in there:
        there = [live, *there]
    found = [_inspected(index, name, name == live, name == pinned) for name in there]
    beside = (
        Inspected("", live=False, pinned=False, damage=damage, file=file)
        for file, damage in _damage_beside(index)
    )
    return [*found, *beside]


def _inspected(index: Path, generation_id: str, live: bool, pinned: bool) -> Inspected:
    try:
        folder, manifest, lease = open_by_id(index, generation_id, "full")
    except IndexFormatMismatch as error:
        version = format_version(generation_path(index, generation_id))
        return Inspected(generation_id, live, pinned, str(error) if live else None, version)
    except IndexUnusable as error:
        return Inspected(generation_id, live, pinned, str(error))
    try:
        damage = _damage(folder, manifest)
    finally:
        lease.release()
    return Inspected(generation_id, live, pinned, damage)


class _Damaged(Exception):
    """What is wrong with a part of a generation, and where."""


def _damage(folder: Path, manifest: Manifest) -> str | None:
    try:
        shape = misshapen(folder, manifest)
        if shape:
            raise _Damaged(shape)
        with (
            _opening(folder / STORE),
            closing(ArticleStore(folder / STORE)) as store,
        ):
            _check_store(folder, manifest, store)
            _check_passages(folder, store)
            for part, check in _PARTS.items():
                with _opening(folder / part):
                    check(folder, manifest)
            with _opening(folder / "keyword"):
                _check_phrases(folder, manifest, store)
    except _Damaged as error:
        return f"{error}. {_REMEDY}"
    except IndexUnusable as error:  # which names place and remedy
        return str(error)
    return None


@contextmanager
def _opening(place: Path) -> Iterator[None]:
    """What goes wrong within, told as damage in that place: what parses or runs a file may raise anything."""
    try:
        yield
    except (_Damaged, IndexUnusable):
        raise
    except Exception as error:
        raise _Damaged(f"{place} cannot be used ({type(error).__name__}: {error})") from error


def _check_store(folder: Path, manifest: Manifest, store: ArticleStore) -> None:
    path = folder / STORE
    problem = _sqlite_problem(path, _UNCHANGING)
    if problem:
        raise _Damaged(f"{path} is damaged ({problem})")
    counts = manifest.counts
    if store.counts() != (counts.articles, counts.sections):
        held = "{} articles and {} sections".format(*store.counts())
        raise _Damaged(
            f"{path} holds {held}, and not the {counts.articles} and {counts.sections} of the manifest"
        )
    Catalogue(store.catalogue_rows(), counts.articles)


def _check_encoder(folder: Path, manifest: Manifest) -> None:
    """Both models load and make a vector of the index's dimensions and of unit length."""
    for model in (FOR_QUESTIONS, FOR_PASSAGES):
        vector = Encoder(folder / "encoder", model).encode_question("water")
        length = float(np.linalg.norm(vector))
        if vector.shape != (manifest.model.dimensions,) or not abs(length - 1) < _UNIT:
            raise _Damaged(
                f"{folder / 'encoder' / model} encodes a text as a vector of shape {vector.shape} and length "
                f"{length:.2f}, and not as one of {manifest.model.dimensions} dimensions and length 1"
            )


def _check_groups(folder: Path, _: Manifest) -> None:
    groups = json.loads((folder / "groups.json").read_bytes())
    if not all(isinstance(name, str) for group in groups for name in group):
        raise _Damaged(f"{folder / 'groups.json'} holds something else than groups of names")


def _check_names(folder: Path, _: Manifest) -> None:
    NameIndex(folder / "names", Postings(folder / "postings").idf_of_rarest)


def _check_vectors(folder: Path, _: Manifest) -> None:
    passages = PassageTable(np.load(folder / "passages.npy", mmap_mode="r", allow_pickle=False))
    CompanionFinder(folder / "vectors", passages)
    VectorIndex(folder / "vectors")


_PARTS: dict[str, Callable[[Path, Manifest], object]] = {
    "encoder": _check_encoder,
    "postings": lambda folder, _: Postings(folder / "postings"),
    "vectors": _check_vectors,
    "names": _check_names,
    "spelling": lambda folder, _: Spelling(folder / "spelling").repair("watre"),
    VOCABULARY: lambda folder, _: Vocabulary(folder / VOCABULARY).concepts(
        TokenisedText.of("water")
    ),
    "suggestions": lambda folder, _: Suggestions(folder / "suggestions").suggest("wa", 1),
    "notices.json": lambda folder, _: Notices.load(folder).find(TokenisedText.of("water")),
    "groups.json": _check_groups,
    "sources.json": lambda folder, _: Sources.load(folder),
}
"""What answers from a part of a generation, opened and used; the arrays' shapes were looked at before."""


def _check_passages(folder: Path, store: ArticleStore) -> None:
    """Every passage is in its section, and all text of a section in a passage."""
    passages = np.load(folder / "passages.npy", mmap_mode="r", allow_pickle=False)
    order = np.lexsort((passages["start"], passages["section"]))
    _, sections = store.counts()
    starts = np.searchsorted(passages["section"][order], np.arange(sections + 1))
    for ordinal in range(sections):
        section = store.section(ordinal)
        reached = 0
        for row in order[starts[ordinal] : starts[ordinal + 1]]:
            start, end = int(passages["start"][row]), int(passages["end"][row])
            if end > len(section.text) or not section.text[start:end].strip():
                raise _Damaged(f"{folder}: a passage of section {section.id!r} is not in it")
            if section.text[reached:start].strip():
                break
            reached = max(reached, end)
        if section.text[reached:].strip():
            raise _Damaged(f"{folder}: text of section {section.id!r} is in no passage")


def _check_phrases(folder: Path, manifest: Manifest, store: ArticleStore) -> None:
    """Each of Whoosh's segments finds the words that one of its passages begins with, in a row."""
    passages = np.load(folder / "passages.npy", mmap_mode="r", allow_pickle=False)
    index = KeywordIndex(folder / "keyword", partial(read_checked, folder, manifest))
    reached = np.zeros(len(passages), dtype=np.int64)
    for documents in index.segments:
        living = documents[documents >= 0]
        if living.max(initial=-1) >= len(passages):
            raise _Damaged(f"{folder / 'keyword'} holds passages that the index does not have")
        np.add.at(reached, living, 1)
        for row in living.tolist():
            entry = passages[row]
            text = store.section(int(entry["section"])).text
            phrase = terms(text[int(entry["start"]) : int(entry["end"])])[:2]
            if phrase:
                among = np.zeros(len(passages), dtype=np.bool_)
                among[row] = True
                if not index.holding(phrase, FIELDS[-1], among)[row]:
                    raise _Damaged(f"{folder / 'keyword'} does not find a phrase in its passage")
                break
    if (reached != 1).any():
        raise _Damaged(f"{folder / 'keyword'} does not hold each passage once")


def _damage_beside(index: Path) -> Iterator[tuple[str, str]]:
    """The files that lie beside the generations and are damaged, with what is wrong and what to do."""
    checks: dict[str, Callable[[], object]] = {
        tuned_weights.FILE: lambda: tuned_weights.load(index),
        REMOVED_FILE: lambda: removed_articles(index),
        "keys/keys.json": lambda: KeyRing(keys_file(index)).all(),
    }
    for file, check in checks.items():
        try:
            check()
        except KbError as error:
            yield file, str(error)
    remedies = {
        _TASKS: "Delete it: what the corpus has is safe, other tasks have to be sent again.",
        _CACHE: "Delete it: embeddings are made anew.",
    }
    for file, remedy in remedies.items():
        path = index / file
        if path.exists() and (problem := _sqlite_problem(path, "mode=ro")):
            yield file, f"{path} is damaged ({problem}). {remedy}"


def _sqlite_problem(path: Path, options: str) -> str | None:
    """What is wrong with a database of SQLite's, opened by a URI with these options."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{options}", uri=True)) as opened:
            found: str = opened.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        # Beside a database with a write-ahead log SQLite makes a file, even to read: not where nobody may write.
        if options != _UNCHANGING and error.sqlite_errorcode & 0xFF in _NOT_WRITABLE:
            return _sqlite_problem(path, _UNCHANGING)
        return str(error)
    return None if found == "ok" else " ".join(found.split())

"""Fingerprints of corpora: equal as long as no file and no record of a command has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from indexer.corpus.files import content_hash, lexicon_entries, list_files
from indexer.corpus.tombstones import Tombstones
from kb.schema.article import is_shown_on
from kb.storage.manifest import CorpusInfo
from kb.storage.sources import Sources

_FINGERPRINT_FORMAT = "kb-corpus-1"


def fingerprint_of(corpora: int, hashed: Iterable[tuple[int, str, str]]) -> str:
    """The fingerprint of some corpora, from the corpus, name and content hash of each file."""
    entries = sorted(hashed)
    # JSON and not a plain join, so that no name can look like the end of another entry.
    digest = hashlib.sha256(json.dumps([_FINGERPRINT_FORMAT, corpora]).encode())
    for entry in entries:
        digest.update(json.dumps(entry).encode() + b"\n")
    return digest.hexdigest()


def corpus_infos(corpora: Sequence[Path]) -> tuple[CorpusInfo, ...]:
    """The corpora and their fingerprints, as a scan gives them. Reads every file once."""
    files, _ = list_files(corpora)
    hashed = [(file.corpus, file.name, content_hash(file.path)) for file in files]
    return infos_of(corpora, hashed + lexicon_entries(corpora), Tombstones(corpora))


def infos_of(
    corpora: Sequence[Path], hashed: list[tuple[int, str, str]], tombstones: Tombstones
) -> tuple[CorpusInfo, ...]:
    """The corpora and their fingerprints, from the corpus, name and content hash of each file."""
    entries = hashed + tombstones.fingerprint_entries()
    return tuple(
        CorpusInfo(
            str(path.resolve()),
            fingerprint_of(
                1, ((0, name, sha) for corpus, name, sha in entries if corpus == number)
            ),
        )
        for number, path in enumerate(corpora)
    )


def dates_passed(sources: Sources, since: str, day: str) -> bool:
    """Whether the publish or expiry date of any article lies between the build of the index and that day."""
    return any(
        is_shown_on(since, entry.publish, entry.expires)
        != is_shown_on(day, entry.publish, entry.expires)
        for file in sources.files
        for entry in file.articles
        if entry.publish is not None or entry.expires is not None
    )

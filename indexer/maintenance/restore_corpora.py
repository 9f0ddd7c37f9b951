"""The places of restored corpora in the folder that is given for them.

The only corpus of a backup gets the folder itself; of several, each gets the folder `0`, `1` and so on in it, by its
number. Of these a corpus that is one file, a collection, stays that file: as a folder it could become the one that is
written to.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.corpus.editing import remove
from indexer.corpus.files import is_article_name
from kb.schema.errors import CorpusError
from kb.storage.durable import make_folder, write_durably
from kb.storage.manifest import Manifest
from kb.storage.sources import Sources


@dataclass(frozen=True, slots=True)
class CorpusPlace:
    """One corpus: its number in the manifest, its files as unpacked, its folder, and the path to build it from."""

    number: int
    unpacked: Path
    folder: Path
    path: Path


def corpus_places(
    manifest: Manifest, sources: Sources, unpacked: Path, target: Path
) -> tuple[CorpusPlace, ...]:
    """Where each corpus belongs, in their order; those that the backup does not hold are left out.

    One that had no file when the index was made is held: it is an empty folder.
    """
    full = {file.corpus for file in sources.files} | {corpus for corpus, _, _ in sources.lexicons}
    held = [
        number
        for number in range(len(manifest.corpora))
        if number not in full or (unpacked / str(number)).is_dir()
    ]
    found = []
    for number in held:
        files = unpacked / str(number)
        folder = target.resolve() if len(held) == 1 else target.resolve() / str(number)
        path = folder
        if len(held) > 1 and _is_one_file(files, Path(manifest.corpora[number].path).name):
            path = folder / Path(manifest.corpora[number].path).name
        found.append(CorpusPlace(number, files, folder, path))
    return tuple(found)


def _is_one_file(files: Path, name: str) -> bool:
    """Whether the corpus was a file with that name. A folder would hold others, or be named otherwise."""
    there = list(files.iterdir()) if files.is_dir() else []
    return [file.name for file in there if file.is_file()] == [name] and is_article_name(name)


def with_places(manifest: Manifest, places: Iterable[CorpusPlace], created: str) -> Manifest:
    """The manifest of the same generation that knows its corpora by those paths, and so with an id of its own.

    Where it knows them already it is the same; `created` is the time that it bears otherwise.
    """
    corpora = list(manifest.corpora)
    for place in places:
        corpora[place.number] = replace(corpora[place.number], path=str(place.path))
    if tuple(corpora) == manifest.corpora:
        return manifest
    return replace(manifest, created=created, corpora=tuple(corpora))


def put_files(places: Iterable[CorpusPlace]) -> int:
    """Write the files of the corpora to where they belong, durably; how many there are. Raises OSError."""
    count = 0
    for place in places:
        make_folder(place.folder)
        for path in sorted(path for path in place.unpacked.rglob("*") if path.is_file()):
            target = place.folder / path.relative_to(place.unpacked)
            make_folder(target.parent)
            write_durably(target, path.read_bytes())
            count += 1
    return count


def take_out(places: Iterable[CorpusPlace], removed: Iterable[str]) -> None:
    """Remove from the corpora what must stay removed: else the next build would bring it back."""
    ids, corpora = sorted(removed), [place.path for place in places]
    if ids and corpora:
        with suppress(CorpusError):  # none of them is a folder that is written to
            remove(corpora, ids)

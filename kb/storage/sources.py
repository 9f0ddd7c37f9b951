"""The sources of a generation (`sources.json`): files and articles of the corpora, and what the build changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from kb.schema.errors import IndexDamaged
from kb.schema.service import Changes
from kb.storage.addresses import Addresses, FormerAddress

FILE = "sources.json"


class Entry(NamedTuple):
    """One article in a file: its id, its line in a JSONL file or None, and the digest of its content.

    `stated` says whether the article states its id. `publish` and `expires` are its dates, or None.
    """

    id: str
    line: int | None
    digest: str
    stated: bool = True
    publish: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of corpus number `corpus`. `name` is its POSIX path in the corpus, `sha256` the hash of its bytes.

    `failures` has the line (or None) and the reason for each article that could not be read.
    """

    corpus: int
    name: str
    sha256: str
    articles: tuple[Entry, ...] = ()
    failures: tuple[tuple[int | None, str], ...] = ()


NO_CHANGES = Changes(added=0, changed=0, removed=0, unchanged=0, hidden=0, failed=0)


@dataclass(frozen=True, slots=True)
class Sources:
    """The content of `sources.json`. `articles` maps the id of each article of the generation to its digest.

    `model_files` identifies the files that the embedding model was loaded from, or is empty. If a rollback made this
    generation, `rolled_back_to` is the id of the generation whose content it has. `lexicons` has the corpus, name and
    SHA-256 of each file of notices or synonyms. `former` are the former addresses, which have a separate file.
    """

    files: tuple[SourceFile, ...] = ()
    articles: dict[str, str] = field(default_factory=dict)
    changes: Changes = NO_CHANGES
    model_files: str = ""
    rolled_back_to: str = ""
    lexicons: tuple[tuple[int, str, str], ...] = ()
    former: tuple[FormerAddress, ...] = ()

    def save(self, folder: Path) -> None:
        """Write `sources.json` into a generation's folder. ASCII, because a file name need not be UTF-8."""
        (folder / FILE).write_text(
            json.dumps(self._content(), separators=(",", ":"), sort_keys=True), encoding="ascii"
        )
        Addresses(self.former).save(folder)

    def _content(self) -> dict[str, Any]:
        # Not asdict, which copies each of perhaps a hundred thousand entries.
        files = [
            {"corpus": file.corpus, "name": file.name, "sha256": file.sha256}
            | {"articles": file.articles, "failures": file.failures}
            for file in self.files
        ]
        return {
            "files": files,
            "articles": self.articles,
            "changes": asdict(self.changes),
            "model_files": self.model_files,
            "rolled_back_to": self.rolled_back_to,
            "lexicons": self.lexicons,
        }

    @classmethod
    def load(cls, folder: Path) -> Sources:
        """Read what `save` wrote. Raises IndexDamaged."""
        path = folder / FILE
        try:
            sources = cls._parse(json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(
                f"{path}: cannot be read ({type(error).__name__}). Run `kb build` to rebuild the index."
            ) from error
        return replace(sources, former=tuple(Addresses.load(folder).all()))

    @classmethod
    def _parse(cls, content: dict[str, Any]) -> Sources:
        files = tuple(
            SourceFile(
                file["corpus"],
                file["name"],
                file["sha256"],
                tuple(Entry(*entry) for entry in file["articles"]),
                tuple((line, reason) for line, reason in file["failures"]),
            )
            for file in content["files"]
        )
        return cls(
            files,
            content["articles"],
            Changes(**content["changes"]),
            content["model_files"],
            content["rolled_back_to"],
            tuple((corpus, name, sha256) for corpus, name, sha256 in content["lexicons"]),
        )

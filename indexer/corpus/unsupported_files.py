"""Files in the folders of a corpus that are not read, and messages about corpora without articles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from indexer.corpus.files import (
    LEXICON_FILES,
    RECORD_FILES,
    CorpusFile,
    is_article_name,
    passed_over,
    walk,
)
from indexer.readers.detection import (
    UnsupportedFile,
    describe,
    foreign_form_of_file,
    form_of_unsupported,
)
from indexer.readers.forms import ARTICLE_FORMS, READABLE_SUFFIXES
from kb.schema.errors import ArticleError


def unsupported_files(paths: Sequence[Path]) -> list[UnsupportedFile]:
    """The files that are not read, each once, in the order of `paths` and then by name.

    A file that is hidden or is called LICENSE is one only if it could be an article otherwise. `LEXICON_FILES` and
    `RECORD_FILES` in a folder's root are none. A path that is a file has none. Costs a look at the beginning of each.
    """
    found = dict.fromkeys(path for root in paths for path in _in_folder(root))
    return [
        UnsupportedFile(path, form_of_unsupported(path.name, foreign_form_of_file(path)))
        for path in found
    ]


def _in_folder(root: Path) -> list[Path]:
    known = {root / name for name in (*LEXICON_FILES, *RECORD_FILES)}
    found = [
        folder / name
        for folder, _, names in walk(root)
        for name in names
        if not is_article_name(name)
    ]
    found += passed_over(root)
    return sorted(path for path in found if path not in known and path.is_file())


def nothing_usable(
    paths: Sequence[Path], files: Sequence[CorpusFile], failures: Sequence[ArticleError]
) -> str:
    """The message for corpora without any article to index."""
    where = ", ".join(str(path) for path in paths)
    if failures:
        rest = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return f"no article in {where} can be used: fix this first, {failures[0]}{rest}"
    if files:
        return f"no article is in the files of {where}: add some, or name another corpus"
    others = unsupported_files(paths)
    if others:
        return f"no article is in {where}, only {describe(others)}; {ARTICLE_FORMS}"
    looked_for = ", ".join(f"*{suffix}" for suffix in READABLE_SUFFIXES)
    return f"no article is in {where}: looked for {looked_for}; add some, or name another folder"

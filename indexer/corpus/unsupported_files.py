"""Files in the folders of a corpus that are not read, and messages about corpora without articles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from indexer.corpus.files import LEXICONS, RECORDS, CorpusFile, is_article_name, passed_over, walk
from indexer.readers.detection import (
    UnsupportedFile,
    describe,
    foreign_form_of_file,
    form_of_unsupported,
)
from indexer.readers.forms import ARTICLE_FORMS, SUFFIXES
from kb.schema.errors import ArticleError


def unsupported_files(paths: Sequence[Path]) -> list[UnsupportedFile]:
    """Each once, in the order of `paths` and then of their names.

    A file that is hidden or is called LICENSE is one only if it could be an article otherwise. `LEXICONS` and `RECORDS`
    in a folder's root are none. A path that is a file has none. Costs a look at the beginning of each.
    """
    found = dict.fromkeys(path for root in paths for path in _in_folder(root))
    return [
        UnsupportedFile(path, form_of_unsupported(path.name, foreign_form_of_file(path)))
        for path in found
    ]


def _in_folder(root: Path) -> list[Path]:
    known = {root / name for name in (*LEXICONS, *RECORDS)}
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
    """What to say of corpora without one article that could be indexed."""
    where = ", ".join(str(path) for path in paths)
    if failures:
        rest = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return f"no article in {where} can be used: mend this first, {failures[0]}{rest}"
    if files:
        return f"no article is in the files of {where}: add some, or name another corpus"
    others = unsupported_files(paths)
    if others:
        return f"no article is in {where}, only {describe(others)}; {ARTICLE_FORMS}"
    looked_for = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
    return f"no article is in {where}: looked for {looked_for}; add some, or name another folder"

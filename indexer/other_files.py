"""Given the paths of a corpus, the files in its folders that nobody reads, since they are of another kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from indexer.corpus import LEXICONS, RECORDS, is_article_name, passed_over, walk


def other_files(paths: Sequence[Path]) -> list[Path]:
    """Each once, in the order of `paths` and then of their names.

    A file that is hidden or is called LICENSE is one only if it could be an article otherwise. `LEXICONS` and `RECORDS`
    in a folder's root are none. A path that is a file has none.
    """
    return list(dict.fromkeys(path for root in paths for path in _in_folder(root)))


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

"""Given the paths of a corpus, the files in its folders that nobody reads, since they are of another kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from indexer.corpus import LEXICONS, is_article_name, walk


def other_files(paths: Sequence[Path]) -> list[Path]:
    """Each once, in the order of `paths` and then of their names.

    What is hidden or accompanies a corpus, as README does, is no such file, and neither are `LEXICONS` in a folder's
    root. A path that is a file has none.
    """
    return list(dict.fromkeys(path for root in paths for path in _in_folder(root)))


def _in_folder(root: Path) -> list[Path]:
    known = {root / name for name in LEXICONS}
    found = [
        folder / name
        for folder, _, names in walk(root)
        for name in names
        if not is_article_name(name)
    ]
    return sorted(path for path in found if path not in known and path.is_file())

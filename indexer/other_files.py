"""Given the paths of a corpus, the files in its folders that nobody reads, since they are of another kind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from indexer.corpus import LEXICONS, SKIPPED, is_article_name


def other_files(paths: Sequence[Path]) -> list[Path]:
    """Each once, in the order of `paths` and then of their names.

    What is hidden or accompanies a corpus, as README does, is no such file, and neither are `LEXICONS` in a folder's
    root. A path that is a file has none.
    """
    return list(dict.fromkeys(path for root in paths for path in _in_folder(root)))


def _in_folder(root: Path) -> list[Path]:
    found = []
    for folder, folder_names, file_names in os.walk(root):
        folder_names[:] = [name for name in folder_names if not name.startswith(SKIPPED)]
        found += [Path(folder, name) for name in file_names if _is_other(name)]
    known = {root / name for name in LEXICONS}
    return sorted(path for path in found if path not in known and path.is_file())


def _is_other(name: str) -> bool:
    return not name.startswith(SKIPPED) and not is_article_name(name)

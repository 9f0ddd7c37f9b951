"""Tracebacks that are safe to log: error types and source locations. Messages may contain a question."""

from __future__ import annotations

import traceback
from pathlib import Path


def safe_traceback(error: BaseException) -> str:
    """The types of an error and its causes, with their source locations. No message."""
    parts = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        frames = traceback.extract_tb(cause.__traceback__)[-12:]
        places = " > ".join(f"{_short(frame.filename)}:{frame.lineno}" for frame in frames)
        parts.append(f"{type(cause).__name__} at {places}")
        cause = cause.__cause__ or cause.__context__
    return "; caused by ".join(parts)


def safe_warning(kind: type[BaseException], filename: str, line: int) -> str:
    """A warning's type and source location. No message."""
    return f"{kind.__name__} at {_short(filename)}:{line}"


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-2:])

"""Reference-counted handover from one open resource to the next, while the first is still used.

A service and a library that follow an index replace the generation that answers. A question that is under way keeps the
generation that it began with.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Release what is held open."""


Resource = TypeVar("Resource", bound=Closable)


@dataclass(slots=True)
class _Shared(Generic[Resource]):
    resource: Resource
    users: int = 0
    replaced: bool = False


class Handover(Generic[Resource]):
    """Holds one open resource, or none. Thread-safe.

    A resource is closed when it has been replaced and its last user is done, in the thread that comes last.
    """

    def __init__(self, resource: Resource | None = None) -> None:
        self._lock = threading.Lock()
        self._shared = _Shared(resource) if resource is not None else None

    @property
    def current(self) -> Resource | None:
        """The resource now. It may be closed at any time: to use it, enter `use`."""
        shared = self._shared
        return shared.resource if shared is not None else None

    @contextmanager
    def use(self) -> Iterator[Resource | None]:
        """The resource now, or None. It stays open until the block ends."""
        with self._lock:
            shared = self._shared
            if shared is not None:
                shared.users += 1
        if shared is None:
            yield None
            return
        try:
            yield shared.resource
        finally:
            with self._lock:
                shared.users -= 1
                is_unused = shared.replaced and not shared.users
            if is_unused:
                shared.resource.close()

    def replace(self, resource: Resource | None) -> None:
        """Hand over to another resource, or to none."""
        with self._lock:
            old = self._shared
            self._shared = _Shared(resource) if resource is not None else None
            if old is not None:
                old.replaced = True
            is_unused = old is not None and not old.users
        if old is not None and is_unused:
            old.resource.close()

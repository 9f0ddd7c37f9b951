"""Reference-counted handover from one open resource to the next, while the first is still in use.

A service or a library that follows an index replaces the generation that answers. A running question keeps the
generation that it began with.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """A resource that can be closed."""

    def close(self) -> None:
        """Release the resource."""


Resource = TypeVar("Resource", bound=Closable)


@dataclass(slots=True)
class _Shared(Generic[Resource]):
    resource: Resource
    users: int = 0
    replaced: bool = False


class Handover(Generic[Resource]):
    """Holds one open resource, or none. Thread-safe.

    A replaced resource is closed when its last user is done, in the thread of that user.
    """

    def __init__(self, resource: Resource | None = None) -> None:
        self._lock = threading.Lock()
        self._shared = _Shared(resource) if resource is not None else None

    @property
    def current(self) -> Resource | None:
        """The current resource. It may be closed at any time: to use it, enter `use`."""
        shared = self._shared
        return shared.resource if shared is not None else None

    @contextmanager
    def use(self) -> Iterator[Resource | None]:
        """The current resource, or None. It stays open until the block ends."""
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

"""Progress of long work, as callbacks. Only the command line displays it."""

from __future__ import annotations


class Progress:
    """Receives each stage and each step within it. This one does nothing; subclasses override it."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins. `total` is its number of steps, if known."""

    def advance(self, steps: int = 1) -> None:
        """Some steps of the present stage are done."""

    def note(self, message: str) -> None:
        """A message for the person who waits."""

    def close(self) -> None:
        """The work has ended, successfully or not."""

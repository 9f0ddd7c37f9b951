"""Progress of long work, as callbacks. Library code draws nothing; the command line does."""

from __future__ import annotations


class Progress:
    """Receives each stage and each step within it. This one does nothing; subclasses override it."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins and the one before ends. `total` is its number of steps where that is known."""

    def advance(self, steps: int = 1) -> None:
        """Steps of the present stage are done."""

    def note(self, message: str) -> None:
        """A sentence for the person who waits."""

    def close(self) -> None:
        """The work has ended, well or not."""

"""Progress of long work, as callbacks. Library code draws nothing; the command line does."""

from __future__ import annotations


class Progress:
    """Told of each stage and of each step within it. This one keeps quiet; others override it."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins, the one before has ended. `total` is its number of steps where that is known."""

    def advance(self, steps: int = 1) -> None:
        """Steps of the present stage are done."""

    def note(self, message: str) -> None:
        """Something that whoever waits should know: a sentence."""

    def close(self) -> None:
        """The work has ended, well or not."""

"""One change on its way into the corpus, and the conditions on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from indexer.corpus.editing import PreconditionFailed
from kb.tasks.messages import ChangeRequest


@dataclass(slots=True)
class Change:
    """One change. `is_resumed` says that an attempt that was cut off may have made it already."""

    task_id: str
    request: ChangeRequest
    subject: str
    _begin: Callable[[], None]
    is_resumed: bool = False
    has_begun: bool = False

    def __post_init__(self) -> None:
        self.has_begun = self.is_resumed

    def begin(self) -> None:
        """Record the change: called right before something is written."""
        self._begin()
        self.has_begun = True

    def check(
        self,
        before: str | None,
        after: str | None,
        if_match: tuple[str, ...] | None,
        if_none_match: bool = False,
    ) -> None:
        """Raise PreconditionFailed unless the article that is there is one that the change was meant for."""
        if self.is_resumed and before == after:
            return  # it is there by the attempt that was cut off
        if if_match is not None and before is None:
            raise PreconditionFailed("There is no article with that id.")
        if if_match is not None and "*" not in if_match and before not in if_match:
            raise PreconditionFailed(
                "The article has changed since: read it again, and send what you make of that."
            )
        if if_none_match and before is not None:
            raise PreconditionFailed("There is an article with that id already.")

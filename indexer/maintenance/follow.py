"""The index made to follow its corpus after a change, unless a rollback holds.

This is the one place that decides what a rollback holds back. Only a build on purpose (`indexer.build.build`) ends one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from indexer.build.build import build
from indexer.build.request import BuildReport, BuildRequest
from indexer.corpus.progress import Progress
from indexer.maintenance.rollback import roll_back
from kb.storage.generation import pinned_generation


@dataclass(frozen=True, slots=True)
class Held:
    """A rollback that holds: the live generation, and the one whose content it has."""

    generation: str
    rolled_back_to: str


def follow_corpus(
    request: BuildRequest,
    progress: Progress | None = None,
    *,
    taken_out: Collection[str] | None = None,
) -> BuildReport | Held:
    """Build, or leave the index as a rollback made it, but for removed articles, which nobody may find any longer.

    `taken_out` are the ids that were removed, or None if nothing was. It may be empty if the corpus shows them.
    Raises what `build` and `roll_back` raise.
    """
    pinned = pinned_generation(request.index)
    if not pinned:
        return build(request, progress)
    if taken_out is None:
        return Held(pinned, pinned)
    if progress is not None:
        progress.stage("publish")
    done = roll_back(
        request.index,
        pinned,
        removed=taken_out,
        wait_s=request.wait_s,
        waiting=request.waiting,
    )
    return Held(done.generation, done.rolled_back_to)

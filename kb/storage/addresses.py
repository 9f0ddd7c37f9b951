"""Former addresses of articles: where each one leads now, or why it leads nowhere.

`addresses.json` in a generation lists them. The id of an article is never given to another one. So an old link leads to
the article that it was made for, or says that the article was withdrawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kb.schema.errors import ArticleMoved, ArticleWithdrawn, IndexDamaged

FILE = "addresses.json"


@dataclass(frozen=True, slots=True)
class FormerAddress:
    """A former address: an id that no article has now.

    `moved_to` is the id that the article has now, empty if the article was withdrawn. `withdrawn` is the date of the
    withdrawal (YYYY-MM-DD), `because` the publisher's reason, `see` the id of the article to read instead. All may be
    empty. `expired` says that the article reached its `expires` date. An address with none of these belonged to a file
    that no longer exists. Its id stays reserved.
    """

    id: str
    title: str = ""
    moved_to: str = ""
    withdrawn: str = ""
    because: str = ""
    see: str = ""
    expired: bool = False


class Addresses:
    """The former addresses of a generation, by id."""

    def __init__(self, former: Iterable[FormerAddress] = ()) -> None:
        self._by_id: Mapping[str, FormerAddress] = {each.id: each for each in former}

    @classmethod
    def load(cls, folder: Path) -> Addresses:
        """Read the addresses of a generation's folder. Raises IndexDamaged."""
        path = folder / FILE
        try:
            return cls(FormerAddress(**each) for each in json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise IndexDamaged(
                f"{path}: cannot be read ({type(error).__name__}). Run `kb build` to rebuild the index."
            ) from error

    def save(self, folder: Path) -> None:
        """Write the addresses into a generation's folder, sorted by id."""
        listed = [asdict(self._by_id[each]) for each in sorted(self._by_id)]
        (folder / FILE).write_text(json.dumps(listed, indent=1) + "\n", encoding="ascii")

    def all(self) -> list[FormerAddress]:
        """All former addresses, sorted by id."""
        return [self._by_id[each] for each in sorted(self._by_id)]

    def with_expired(self, expiries: Mapping[str, str]) -> Addresses:
        """These addresses and those of expired articles. `expiries` maps ids to dates of expiry."""
        expired = (
            FormerAddress(each, withdrawn=day, expired=True) for each, day in expiries.items()
        )
        return Addresses([*self.all(), *expired])

    def follow(self, article_id: str) -> FormerAddress | None:
        """The last former address on the chain of moves from that id. None if the id is not a former address."""
        found, seen = self._by_id.get(article_id), {article_id}
        while found is not None and found.moved_to in self._by_id and found.moved_to not in seen:
            seen.add(found.moved_to)
            found = self._by_id[found.moved_to]
        return found

    def current(self, article_id: str) -> str:
        """The present id of the article, or the id itself if no move is known."""
        found = self.follow(article_id)
        return found.moved_to if found is not None and found.moved_to else article_id

    def explain_missing(self, article_id: str) -> None:
        """Raise ArticleMoved or ArticleWithdrawn if the id is a former address with a known move or withdrawal."""
        found = self.follow(article_id)
        if found is None:
            return
        if found.moved_to:
            raise ArticleMoved(article_id, found.moved_to)
        if found.withdrawn:
            see = self.current(found.see)
            raise ArticleWithdrawn(
                article_id,
                title=found.title,
                on=found.withdrawn,
                because=found.because,
                see="" if see in self._by_id else see,
                expired=found.expired,
            )

"""Which article has which id: what files state, their places, and the ledger of ids that were given before.

An article's id is what it states. Else it comes from its file's place in the corpus: the stem; for `index`, `_index`
and `README` in a folder that folder's name; where the id is another's already, with the folders before it, and in the
end with a number. An id that was given stays with its file. A file that is gone may be here under another name: its
address then leads to the new one (`indexer.identity.renames`).

This is a function of the claims and the ledger alone, so that a build from nothing and one upon an index agree.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import PurePosixPath
from typing import NamedTuple

from indexer.identity.ledger import Address, Spot
from indexer.readers.ids import ID_MAX_CHARS, id_from_name

FOLDER_FILE_STEMS = ("index", "_index", "readme")
"""Stems, in any case, of files that are the article of their folder."""


class Claim(NamedTuple):
    """That an article stands at `line` of the file at `spot` (None: it is the file's only one).

    `stated` is the id that it states, or None. `is_own` says that the file holds one article and lies in the writable
    corpus; others are hidden by tombstones.
    """

    spot: Spot
    line: int | None
    stated: str | None
    is_own: bool


class Alike(NamedTuple):
    """How to tell whether a file holds an article that was known before.

    `renamed` finds, of addresses whose files are gone and of new claims, the pairs that belong together; `same` says
    whether a claim's article is that of an address: the same bytes, most of its sections, or its title.
    """

    renamed: Callable[[Sequence[Address], Sequence[Claim]], dict[str, Claim]]
    same: Callable[[Address, Claim], bool]


@dataclass(slots=True)
class Naming:
    """Who has which id.

    `ids` are those of the claims that have one; `duplicates` the claims that state the id of the other one named,
    `reserved` those that state an address which its article has left, with that address; `hidden` are claims that a
    tombstone hides, with their ids. `moved` maps the ids that articles had before to those they have now, `gone` are
    ids whose files are not there any more. `holders` maps each id to its claim; `contested` are ids that articles of
    several files state.
    """

    ids: dict[Claim, str] = field(default_factory=dict)
    duplicates: dict[Claim, Claim] = field(default_factory=dict)
    reserved: dict[Claim, Address] = field(default_factory=dict)
    hidden: dict[Claim, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    holders: dict[str, Claim] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)

    def give(self, claim: Claim, article_id: str) -> None:
        """Let the claim have the id."""
        self.ids[claim] = article_id
        self.holders[article_id] = claim


def candidates(name: str) -> Iterator[str]:
    """The ids that a file of that POSIX path may have, from the plainest on, without end."""
    yield from by_folders(name)
    stem = next(by_folders(name))
    for number in count(2):
        suffix = f"-{number}"
        yield f"{stem[: ID_MAX_CHARS - len(suffix)]}{suffix}"


def by_folders(name: str) -> Iterator[str]:
    """Those of the candidates that come from the path alone."""
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    parts = [*path.parts[:-1], path.stem]
    if path.stem.casefold() in FOLDER_FILE_STEMS and len(parts) > 1:
        parts.pop()
    for first in range(len(parts) - 1, -1, -1):
        # A suffix of its own: what comes after the last dot of a folder's name is no suffix.
        yield id_from_name(f"{'-'.join(parts[first:])}.md")


def name_articles(
    claims: Iterable[Claim],
    ledger: Mapping[str, Address],
    tombstones: frozenset[str],
    published: Mapping[str, Spot],
    alike: Alike,
) -> Naming:
    """Decide. `published` says which collection an index has an id from; it decides where the ledger does not."""
    return _Namer(ledger, tombstones, published, alike).name(list(claims))


class _Namer:
    def __init__(
        self,
        ledger: Mapping[str, Address],
        tombstones: frozenset[str],
        published: Mapping[str, Spot],
        alike: Alike,
    ) -> None:
        self._ledger = ledger
        self._tombstones = tombstones
        self._published = published
        self._alike = alike
        self._given = _given_by_spot(ledger)
        self._found = Naming()
        self._claimed_spots: set[Spot] = set()

    def name(self, claims: list[Claim]) -> Naming:
        claims.sort(key=_order)
        derived = [claim for claim in claims if claim.stated is None]
        self._claimed_spots = {claim.spot for claim in derived}
        self._name_stated([claim for claim in claims if claim.stated is not None])
        newcomers = self._name_known(derived)
        self._name_new(newcomers)
        return self._found

    def _name_stated(self, claims: list[Claim]) -> None:
        by_id: dict[str, list[Claim]] = {}
        for claim in claims:
            assert claim.stated is not None
            if claim.stated in self._tombstones and not claim.is_own:
                self._found.hidden[claim] = claim.stated
            else:
                by_id.setdefault(claim.stated, []).append(claim)
        held = {claim.stated for claim in claims}
        for article_id, those in by_id.items():
            address = self._ledger.get(article_id)
            if address is not None and address.state == "moved":
                those = self._returning(address, those, held)  # noqa: PLW2901
                if not those:
                    continue
            owner = self._owner(article_id, those)
            if owner is None:  # a file's that states none, to which the id was given
                continue
            if len({claim.spot for claim in those}) > 1:
                self._found.contested.add(article_id)
            self._found.give(owner, article_id)
            for claim in those:
                if claim is not owner:
                    self._found.duplicates[claim] = owner

    def _returning(
        self, address: Address, claims: list[Claim], held: set[str | None]
    ) -> list[Claim]:
        """Those of the claims that state an address which their own article has left; the others are refused."""
        target = self._end_of_moves(address)
        back = []
        if target is not None and target.id not in held:
            back = [
                claim
                for claim in claims
                if claim.spot == target.spot or self._alike.same(target, claim)
            ]
        self._found.reserved.update({claim: address for claim in claims if claim not in back})
        return back

    def _end_of_moves(self, address: Address) -> Address | None:
        seen = {address.id}
        found: Address | None = address
        while found is not None and found.state == "moved":
            found = self._ledger.get(found.moved_to)
            if found is None or found.id in seen:
                return None
            seen.add(found.id)
        return found

    def _owner(self, article_id: str, claims: list[Claim]) -> Claim | None:
        """Whose the id is of those that state it; None if it was given to a file that states none."""
        address = self._ledger.get(article_id)
        spot = self._published.get(article_id)
        if address is not None:
            if self._given.get(address.spot) == article_id and address.spot in self._claimed_spots:
                holder = Claim(address.spot, None, None, is_own=True)
                self._found.duplicates.update(dict.fromkeys(claims, holder))
                return None
            spot = address.spot
        return next((claim for claim in claims if claim.spot == spot), claims[0])

    def _name_known(self, claims: list[Claim]) -> list[Claim]:
        """Give their ids to the files that have one; return the others that tombstones do not hide."""
        newcomers = []
        for claim in claims:
            given = self._given.get(claim.spot)
            if given is not None and given in self._found.holders:
                given = None  # the file was away, and another states its id
            if given is not None:
                address = self._ledger[given]
                if not claim.is_own and given in self._tombstones:
                    self._found.hidden[claim] = given
                    continue
                if address.state == "withdrawn" and not self._alike.same(address, claim):
                    given = None
            if given is not None:
                self._found.give(claim, given)
                continue
            names = [] if claim.is_own else list(by_folders(claim.spot.name))
            hidden = next((each for each in names if each in self._tombstones), None)
            if hidden is not None:
                self._found.hidden[claim] = hidden
            else:
                newcomers.append(claim)
        return newcomers

    def _name_new(self, newcomers: list[Claim]) -> None:
        vacated = [
            address
            for address in self._ledger.values()
            if address.state == "live" and address.id not in self._found.holders
        ]
        arrived = [
            claim
            for article_id, claim in self._found.holders.items()
            if article_id not in self._ledger and claim.line is None
        ]
        renamed = self._alike.renamed(vacated, [*arrived, *newcomers]) if vacated else {}
        before = {claim: former for former, claim in renamed.items()}
        for claim in newcomers:
            self._found.give(claim, self._free_id(claim, before.get(claim)))
        for former, claim in renamed.items():
            now = self._found.ids[claim]
            if now != former:
                self._found.moved[former] = now
        self._found.gone = sorted(
            address.id
            for address in vacated
            if address.id not in self._found.moved and address.id not in self._found.holders
        )

    def _free_id(self, claim: Claim, former: str | None) -> str:
        """The first id for a newcomer that is nobody's. `former` is the one that its article had before, if any."""
        for each in candidates(claim.spot.name):
            if each in self._found.holders:
                continue
            address = self._ledger.get(each)
            if address is None or each == former or self._is_its_own(address, claim, former):
                return each
        raise AssertionError("there is always another number")

    def _is_its_own(self, address: Address, claim: Claim, former: str | None) -> bool:
        """Whether the newcomer's article is the one whose address this was."""
        if address.state == "moved":
            target = self._end_of_moves(address)
            return former is not None and target is not None and target.id == former
        return address.state == "withdrawn" and self._alike.same(address, claim)


def updates_of(naming: Naming, ledger: Mapping[str, Address]) -> dict[str, Address | None]:
    """What the ledger gains by the moves and by files that are gone."""
    updates: dict[str, Address | None] = {}
    for former, now in naming.moved.items():
        updates[former] = replace(
            ledger[former], state="moved", moved_to=now, bytes="", sections=()
        )
    for each in naming.gone:
        updates[each] = replace(ledger[each], state="gone")
    return updates


def _order(claim: Claim) -> tuple[int, int, str, int]:
    """The shallowest path first, then the order of paths."""
    return claim.spot.corpus, claim.spot.name.count("/"), claim.spot.name, claim.line or 0


_RANK = {"live": 0, "gone": 1, "withdrawn": 2}


def _given_by_spot(ledger: Mapping[str, Address]) -> dict[Spot, str]:
    """The id of each file that was given one: the live one, where it has had several."""
    found: dict[Spot, str] = {}
    known = (each for each in ledger.values() if each.state in _RANK)
    for address in sorted(known, key=lambda each: (_RANK[each.state], each.id)):
        found.setdefault(address.spot, address.id)
    return found

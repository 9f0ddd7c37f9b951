"""Which new files are known articles under another name: by their bytes, or by most of their sections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from indexer.identity.ledger import Address, section_hashes
from indexer.identity.naming import Alike, Claim
from kb.schema.article import Article

MIN_SAME_SHARE = Fraction(4, 5)
"""The share of the sections, of the longer of two articles, that are the same in one that was renamed."""


def alike_by(bytes_of: Callable[[Claim], str], read: Callable[[Claim], Article | None]) -> Alike:
    """How articles are recognised: by the hash of a claim's file, and by what is read there, None if nothing is."""
    return Alike(
        lambda addresses, claims: find_renamed(addresses, claims, bytes_of, read),
        lambda address, claim: is_same(address, claim, bytes_of, read),
    )


def find_renamed(
    gone: Sequence[Address],
    new: Sequence[Claim],
    bytes_of: Callable[[Claim], str],
    read: Callable[[Claim], Article | None],
) -> dict[str, Claim]:
    """The new claim of each address whose article was renamed: each the only candidate of the other."""
    by_bytes: dict[str, list[int]] = {}
    by_section: dict[str, set[int]] = {}
    sections: list[Counter[str]] = []
    for number, claim in enumerate(new):
        by_bytes.setdefault(bytes_of(claim), []).append(number)
        article = read(claim)
        sections.append(Counter(section_hashes(article) if article else ()))
        for each in sections[-1]:
            by_section.setdefault(each, set()).add(number)
    candidates: dict[str, set[int]] = {}
    for address in gone:
        found = set(by_bytes.get(address.bytes, ())) if address.bytes else set()
        mine = Counter(address.sections)
        near = {number for each in mine for number in by_section.get(each, ())}
        found |= {number for number in near if _share(mine, sections[number]) >= MIN_SAME_SHARE}
        candidates[address.id] = found
    wanted = Counter(number for found in candidates.values() for number in found)
    return {
        address_id: new[number]
        for address_id, found in candidates.items()
        if len(found) == 1
        for number in found
        if wanted[number] == 1
    }


def is_same(
    address: Address,
    claim: Claim,
    bytes_of: Callable[[Claim], str],
    read: Callable[[Claim], Article | None],
) -> bool:
    """Whether the claim's article is the one that had the address."""
    if address.bytes and address.bytes == bytes_of(claim):
        return True
    article = read(claim)
    if article is None:
        return False
    if address.title and article.title == address.title:
        return True
    return _share(Counter(address.sections), Counter(section_hashes(article))) >= MIN_SAME_SHARE


def _share(one: Counter[str], other: Counter[str]) -> Fraction:
    longer = max(one.total(), other.total())
    return Fraction((one & other).total(), longer) if longer else Fraction(0)

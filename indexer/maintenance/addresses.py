"""The addresses that articles of a corpus have left: all of them, or some of them freed for others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from indexer.corpus.tombstones import Tombstones, writable_folder
from indexer.identity.ledger import Ledger, settle
from kb.storage.addresses import FormerAddress
from kb.storage.durable import changing


def former_addresses(corpora: Sequence[Path]) -> list[FormerAddress]:
    """Those that the ledger holds, in the order of their ids. Raises CorpusError if it cannot be read."""
    records = Tombstones(corpora)
    ledger = Ledger.read(records.folder, records.corpus)
    found = (ledger.addresses[each] for each in sorted(ledger.addresses))
    return [address.former() for address in found if address.state != "live"]


def release(corpora: Sequence[Path], ids: Collection[str]) -> tuple[str, ...]:
    """Free these addresses, durably; those of `ids` that are none. An article's own is never freed.

    Raises CorpusError and OSError.
    """
    folder = writable_folder(corpora)
    corpus = Tombstones(corpora).corpus
    assert corpus is not None
    with changing(folder):
        known = Ledger.read(folder, corpus).addresses
        left = {each for each in ids if each in known and known[each].state != "live"}
        settle(folder, corpus, known, dict.fromkeys(left))
    return tuple(each for each in dict.fromkeys(ids) if each not in left)

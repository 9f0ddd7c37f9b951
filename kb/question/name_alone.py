"""Questions that may be a name and no more, such as "restless legs" or "what is glaucoma?"."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kb.text import analysis

ASK_WHAT = frozenset(
    analysis.stems(
        "a about after an and are at be before between by do does during for from her his in is its me my of on or tell"
        " the their under was were what with your"
    )
)
"""Small words that ask for nothing further than what something is; "why", "when" or "can" do."""


def name_alone(stems: Collection[str], terms: Sequence[str]) -> tuple[str, ...]:
    """The distinct terms of a question that may be a name and no more; () for any other.

    `stems` are those of all its words, small words included.
    """
    name = tuple(term for term in dict.fromkeys(terms) if term not in ASK_WHAT)
    return name if {*stems} - ASK_WHAT <= {*name} else ()

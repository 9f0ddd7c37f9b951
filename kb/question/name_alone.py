"""Questions that may be a name and no more, such as "restless legs" or "what is glaucoma?"."""

from __future__ import annotations

from collections.abc import Sequence

from kb.text import analysis

_ASK_WHAT = frozenset(
    analysis.stems(
        "a about after an and are at be before between by do does during for from her his in is its me my of on or tell"
        " the their under was were what with your"
    )
)
"""Small words that ask for nothing further than what something is; "why", "when" or "can" do."""


def name_alone(text: str, terms: Sequence[str]) -> tuple[str, ...]:
    """Of `terms`, those of the text, the distinct ones of what may be a name and no more; () of any other text."""
    name = tuple(term for term in dict.fromkeys(terms) if term not in _ASK_WHAT)
    return name if {*analysis.stems(text)} - _ASK_WHAT <= {*name} else ()

"""Fixed notices that stand above a question's results, whatever the ranking says.

A notice has triggers, a trigger has slots, and a slot is a set of stems (`kb.text.analysis.stems`: small words count).
A trigger fires where, within one sentence, each slot has a word of its own, the last of these words at most SPAN words
after the first, in any order. A notice's `unless` are of the same form and silence it in the sentence they fire in.

A conditional notice has no triggers. It is for questions that no trigger catches and `kb.question.notice_line` does.

`notices.json` in a generation is the list of notices in the order of the corpus, each
`{"id", "title", "text", "links": [{"title", "url"}], "triggers", "unless"}`, a trigger there a list of lists of stems.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from kb.question.tokenised import TokenisedText
from kb.schema.results import Link, Notice, NoticeKind

__all__ = ["FILE", "SPAN", "Link", "Notice", "NoticeRule", "Notices", "Trigger", "sentences"]

FILE = "notices.json"

SPAN = 12
"""Maximum distance in words between the first and the last word of a trigger."""

Trigger = tuple[frozenset[str], ...]
"""The slots of a trigger, each the stems of its alternatives."""

# A full stop within "39.5" or a web address ends nothing; a line end alone may be a mere line wrap. A run of signs is
# looked at once, from its first: from each of them, thousands would stop the process for half a second.
_SENTENCE_END = re.compile(r"""(?<![.!?…])[.!?…]++["'”’)\]]*+(?=\s|$)|\n\s*\n""")


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """A notice, what brings it, and what silences it in a sentence. One without triggers is conditional."""

    notice: Notice
    triggers: tuple[Trigger, ...]
    unless: tuple[Trigger, ...] = ()


class _Placed(NamedTuple):
    """A trigger: the number of its notice, how many slots it has, and whether it is one of `unless`."""

    notice: int
    slots: int
    silences: bool


class Notices:
    """The notices of one generation, compiled. Read-only and safe to share between threads.

    A sentence costs a look at each of its words and at the triggers that those words are part of, not at all triggers.
    """

    def __init__(self, rules: Sequence[NoticeRule] = ()) -> None:
        self._notices = [rule.notice for rule in rules]
        self.conditional = next(
            (notice for notice in self._notices if notice.kind == "conditional"), None
        )
        """The first conditional notice, if there is one."""
        self._triggers: list[_Placed] = []
        self._slots: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, rule in enumerate(rules):
            for trigger in rule.triggers:
                self._add(trigger, number, silences=False)
            for trigger in rule.unless:
                self._add(trigger, number, silences=True)

    def _add(self, trigger: Trigger, notice: int, *, silences: bool) -> None:
        place = len(self._triggers)
        self._triggers.append(_Placed(notice, len(trigger), silences))
        for stem in frozenset().union(*trigger):
            mask = sum(1 << slot for slot, wanted in enumerate(trigger) if stem in wanted)
            self._slots[stem].append((place, mask))

    def __len__(self) -> int:
        return len(self._notices)

    @classmethod
    def load(cls, folder: Path) -> Notices:
        """Read `notices.json` of a generation. Raises OSError, ValueError, KeyError or TypeError where it is spoilt."""
        return cls(cls.load_rules(folder))

    @staticmethod
    def load_rules(folder: Path) -> list[NoticeRule]:
        """Read the rules that `save` wrote. Raises as `load` does."""
        return [_rule(**entry) for entry in json.loads((folder / FILE).read_bytes())]

    @staticmethod
    def save(folder: Path, rules: Sequence[NoticeRule]) -> None:
        """Write `notices.json`: the same bytes for the same rules."""
        entries = [
            {
                "id": rule.notice.id,
                "title": rule.notice.title,
                "text": rule.notice.text,
                "links": [asdict(link) for link in rule.notice.links],
                "triggers": [[sorted(slot) for slot in trigger] for trigger in rule.triggers],
                "unless": [[sorted(slot) for slot in trigger] for trigger in rule.unless],
            }
            for rule in rules
        ]
        text = json.dumps(entries, ensure_ascii=False, indent=1) + "\n"
        (folder / FILE).write_text(text, encoding="utf-8")

    def find(self, question: TokenisedText) -> tuple[Notice, ...]:
        """The notices that the question triggers, each once, in the order of the corpus.

        Costs some 0.02 ms for an ordinary question.
        """
        fired: set[int] = set()
        for stems in sentences(question):
            fired |= self._fired(stems, fired)
        return tuple(self._notices[number] for number in sorted(fired))

    def _fired(self, words: list[str], before: set[int]) -> set[int]:
        """The numbers of the notices that one sentence brings, those of `before` left out."""
        known = [
            (position, found)
            for position, word in enumerate(words)
            if (found := self._slots.get(word)) is not None
        ]
        placed: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for position, found in known:
            for trigger, mask in found:
                placed[trigger].append((position, mask))
        fired: set[int] = set()
        settled = set(before)  # fired before, or silenced in this sentence
        for trigger in sorted(placed, key=lambda place: not self._triggers[place].silences):
            rule = self._triggers[trigger]
            if rule.notice in settled or not _stand_together(placed[trigger], rule.slots):
                continue
            settled.add(rule.notice)
            if not rule.silences:
                fired.add(rule.notice)
        return fired


def _stand_together(placed: list[tuple[int, int]], slots: int) -> bool:
    """Whether some SPAN + 1 words in a row fill all `slots` slots, each with a word of its own.

    `placed` are positions, ascending, each with the bits of the slots that the word there may fill.
    """
    if len(placed) < slots:
        return False
    last = [-SPAN - 1] * slots  # the last word so far for each slot
    single = True
    for number, (position, mask) in enumerate(placed, start=1):
        bits = _bits(mask)
        single = single and len(bits) == 1
        for slot in bits:
            last[slot] = position
        if position - min(last) <= SPAN and (
            single or _each_its_own(placed[max(0, number - SPAN - 1) : number], slots)
        ):
            return True
    return False


def _each_its_own(placed: list[tuple[int, int]], slots: int) -> bool:
    """Whether the words of one window fill all slots, where some words may fill several."""
    filled = {0}  # all sets of slots that the words so far can fill, as bits
    end = placed[-1][0]
    for position, mask in placed:
        if end - position <= SPAN:
            filled |= {
                done | 1 << slot for done in filled for slot in _bits(mask) if not done >> slot & 1
            }
    return (1 << slots) - 1 in filled


@lru_cache(maxsize=1 << 8)
def _bits(mask: int) -> tuple[int, ...]:
    return tuple(slot for slot in range(mask.bit_length()) if mask >> slot & 1)


def sentences(question: TokenisedText) -> list[list[str]]:
    """The stems of each sentence of a question that has any: a full stop, or a blank line, ends a sentence."""
    ends = [match.start() for match in _SENTENCE_END.finditer(question.text)]
    found: list[list[str]] = [[] for _ in range(len(ends) + 1)]
    for word in question.words:
        found[bisect_right(ends, word.start)].append(word.term)
    return [stems for stems in found if stems]


def _rule(
    *,
    id: str,  # noqa: A002  (the name in the file)
    title: str,
    text: str,
    links: list[dict[str, str]],
    triggers: list[list[list[str]]],
    unless: list[list[list[str]]],
) -> NoticeRule:
    def compiled(entries: list[list[list[str]]]) -> tuple[Trigger, ...]:
        return tuple(tuple(frozenset(slot) for slot in trigger) for trigger in entries)

    kind: NoticeKind = "emergency" if triggers else "conditional"
    notice = Notice(id, title, text, tuple(Link(**link) for link in links), kind)
    return NoticeRule(notice, compiled(triggers), compiled(unless))

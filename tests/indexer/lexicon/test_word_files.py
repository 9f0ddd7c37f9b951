"""indexer.lexicon.notices_file and .vocabulary: what they take, and how they name what they do not"""

from __future__ import annotations

import pytest

from indexer.lexicon.notices_file import read_notices
from indexer.lexicon.vocabulary_file import read_vocabulary
from kb.schema.errors import ArticleError
from kb.schema.results import Link, Notice

NOTICE = """\
# A comment.
- id: heart
  title: Chest pain
  text: >-
    Call your local
    emergency number.
  links:
    - {title: NHS, url: "https://www.nhs.uk/"}
  triggers:
    - chest pain|pains
    - >-
      heart
      attack
  unless:
    - wax
"""


def test_a_notice_is_read_with_its_slots_as_stems() -> None:
    (placed,) = read_notices("notices.yaml", NOTICE.encode())
    assert placed.line == 2
    assert placed.rule.notice == Notice(
        id="heart",
        title="Chest pain",
        text="Call your local emergency number.",
        links=(Link("NHS", "https://www.nhs.uk/"),),
    )
    assert placed.rule.triggers == (
        (frozenset({"chest"}), frozenset({"pain"})),
        (frozenset({"heart"}), frozenset({"attack"})),
    )
    assert placed.rule.unless == ((frozenset({"wax"}),),)


def test_links_and_unless_may_be_missing() -> None:
    (placed,) = read_notices("n", b"- {id: a, title: A, text: Call., triggers: [pain]}\n")
    assert placed.rule.notice.links == () == placed.rule.unless


def test_a_conditional_notice_has_no_triggers_and_stands_alone() -> None:
    conditional = b"- {id: a, kind: conditional, title: A, text: If.}\n"
    (placed,) = read_notices("n", conditional)
    assert placed.rule.notice.kind == "conditional"
    assert placed.rule.triggers == ()
    for spoilt, message in [
        (conditional.replace(b"If.", b"If., triggers: [pain]"), "delete its triggers"),
        (conditional + conditional.replace(b"id: a", b"id: b"), "a second conditional one"),
        (conditional.replace(b"conditional", b"mild"), "write emergency or conditional"),
        (conditional.replace(b"kind: conditional, ", b""), "has no triggers"),
    ]:
        with pytest.raises(ArticleError, match=message):
            read_notices("n", spoilt)


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", b"\n\n", b"[]"])
def test_an_empty_file_holds_nothing(content: bytes) -> None:
    assert read_notices("n", content) == []
    assert read_vocabulary("v", content) == []


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("- id: heart", "- id: [", 4, "not valid YAML"),
        ("  title: Chest pain\n", "", 2, "a notice has no title"),
        ("  title: Chest pain\n", "  title: 12\n", 2, "title must be text, not a number"),
        ("id: heart", "id: My Heart", 2, 'the id "My Heart"'),
        ("  unless:", "  unles:", 2, 'unknown key "unles" in a notice: did you mean "unless"?'),
        ('"https://www.nhs.uk/"', "nhs.uk", 2, 'links, item 1, url "nhs.uk" is not a URL'),
        ('{title: NHS, url: "https://www.nhs.uk/"}', "NHS", 2, "links, item 1 is text"),
        ("title: NHS, ", "", 2, "links, item 1 has no title"),
        ("    - chest pain|pains", "    - chest x-ray", 10, '"x-ray" is 2 words'),
        ("    - chest pain|pains", "    - chest pain|", 10, 'the slot "pain|"'),
        ("    - chest pain|pains", "    - 12", 10, "must be text, not a number: put it in quotes"),
        ("    - chest pain|pains", "    - a b c d e f g h i", 10, "has 9 slots: write 1 to 8"),
        ("    - wax", "    - ''", 15, "an entry of unless has 0 slots"),
        ("    - wax", "      wax", 15, "unless must be a list, not text"),
        ("  unless:", "- id: heart\n  title: T\n  text: T.\n  triggers:", 14, "that of line 2"),
    ],
)
def test_a_broken_notice_is_named_by_its_line_and_breaks_the_file(
    before: str, after: str, line: int, message: str
) -> None:
    assert before in NOTICE
    with pytest.raises(ArticleError) as caught:
        read_notices("notices.yaml", NOTICE.replace(before, after, 1).encode())
    assert caught.value.line == line
    assert message in caught.value.reason


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a: b\n", 1, "the file is a mapping: write a list of notices"),
        ("- a\n", 1, "a notice is text"),
        ("- {id: a, title: A, text: T}\n", 1, 'the notice "a" has no triggers'),
        ("- {id: a, title: A, text: T, triggers: []}\n", 1, 'the notice "a" has no triggers'),
        ("- {id: a, id: b}\n", 1, "is stated twice"),
    ],
)
def test_what_is_no_list_of_notices_is_refused(content: str, line: int, message: str) -> None:
    with pytest.raises(ArticleError) as caught:
        read_notices("notices.yaml", content.encode())
    assert caught.value.line == line
    assert message in caught.value.reason


def test_groups_are_read_in_order_whatever_their_form() -> None:
    content = "# a comment\n- [throwing up, vomiting]\n- - heart attack\n  - St. John's  wort\n"
    assert read_vocabulary("v", content.encode()) == [
        ("throwing up", "vomiting"),
        ("heart attack", "St. John's wort"),
    ]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a: b\n", 1, "the file is a mapping: write a list of groups"),
        ("- [a b, c]\n- d\n", 2, "a group is text: write [name, another name]"),
        ("- [a b, c]\n- [d]\n", 2, "a group has 1 names: write 2 to 12"),
        (f"- [{', '.join(f'n{n}' for n in range(13))}]\n", 1, "a group has 13 names"),
        ("- [a b, no]\n", 1, "item 2 must be text, not true or false: put it in quotes"),
        ("- [a b, 12]\n", 1, "item 2 must be text, not a number: put it in quotes"),
        ("- [a b, '?']\n", 1, 'the name "?" has 0 words'),
        ("- [a b c d e f g h i, j]\n", 1, "has 9 words: write 1 to 8"),
        ("- [cramp, spasm]\n- [colic, Cramps]\n", 2, '"Cramps" is the same as "cramp" in line 1'),
        ("- [cramp, cramp]\n", 1, "keep one of them"),
        ("- [a b, c\n- [d, e]\n", 2, "not valid YAML"),
    ],
)
def test_a_broken_group_is_named_by_its_line_and_breaks_the_file(
    content: str, line: int, message: str
) -> None:
    with pytest.raises(ArticleError) as caught:
        read_vocabulary("vocabulary.yaml", content.encode())
    assert caught.value.line == line
    assert message in caught.value.reason

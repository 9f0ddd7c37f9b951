"""Which article has which id: by what it states, by its place, and by what was given before."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from indexer.corpus.editing import add, put, remove
from indexer.corpus.files import RECORD_FILES
from indexer.corpus.scan import Scan
from indexer.identity.ledger import FILE as LEDGER
from indexer.identity.ledger import Address, Ledger, Spot, append, settle
from indexer.identity.naming import candidates
from kb.schema.errors import ArticleError, CorpusError, InvalidRequest
from kb.storage.sources import Sources


def write(
    path: Path, title: str, *, article_id: str = "", text: str = "", sections: int = 5
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    front = f"---\nid: {article_id}\n---\n" if article_id else ""
    parts = "".join(f"\n## Part {n}\n\nPart {n} of {title}.\n" for n in range(sections))
    path.write_text(f"{front}# {title}\n\n{text or f'All about {title}.'}\n{parts}")
    return path


def built(*corpora: Path, base: Sources | None = None) -> tuple[Scan, Sources]:
    """What a build makes of the corpora, but for the index."""
    scan = Scan(corpora, base, may_be_empty=True)
    scan.finish()
    scan.keep_ledger()
    former = tuple(scan.former_addresses())
    return scan, Sources(files=tuple(scan.files), articles=scan.articles, former=former)


def ids(*corpora: Path, base: Sources | None = None) -> dict[str, str]:
    """Where each article stands, by id."""
    scan, _ = built(*corpora, base=base)
    root = corpora[0]
    return {each: place.path.relative_to(root).as_posix() for each, place in scan.places.items()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("knee.md", ["knee", "knee-2"]),
        ("burns/index.md", ["burns", "burns-2"]),
        ("skin/burns/_index.md", ["burns", "skin-burns", "burns-2"]),
        ("skin/burns/README.md", ["burns", "skin-burns", "burns-2"]),
        ("skin/burns/first-aid.txt", ["first-aid", "burns-first-aid", "skin-burns-first-aid", "first-aid-2"]),
        ("index.md", ["index", "index-2"]),
        ("v1.2/index.md", ["v1.2", "v1.2-2"]),
        ("a b/c d.md", ["c-d", "a-b-c-d", "c-d-2"]),
        ("cafe\u0301.md", ["caf\u00e9", "caf\u00e9-2"]),
        (f"{'x' * 300}.md", ["x" * 180, f"{'x' * 180}-2"]),
    ],
)  # fmt: skip
def test_an_id_comes_from_the_place_with_more_folders_and_at_last_a_number(
    name: str, expected: list[str]
) -> None:
    assert list(islice(candidates(name), len(expected))) == expected


def test_on_a_first_build_the_shallowest_path_wins_then_the_order_of_paths(tmp_path: Path) -> None:
    for name in ("z/deep/eyes/index.md", "b/eyes.md", "a/eyes.md", "eyes.md"):
        write(tmp_path / name, name)
    assert ids(tmp_path) == {
        "eyes": "eyes.md",
        "a-eyes": "a/eyes.md",
        "b-eyes": "b/eyes.md",
        "deep-eyes": "z/deep/eyes/index.md",
    }


def test_what_an_article_states_goes_before_what_comes_from_a_place(tmp_path: Path) -> None:
    write(tmp_path / "eyes.md", "By place")
    write(tmp_path / "z" / "other.md", "Stated", article_id="eyes")
    assert ids(tmp_path) == {"eyes": "z/other.md", "eyes-2": "eyes.md"}


def test_a_published_id_stays_with_its_file_whatever_sorts_before_it(tmp_path: Path) -> None:
    write(tmp_path / "z" / "eyes.md", "The first")
    _, base = built(tmp_path)
    write(tmp_path / "eyes.md", "A newcomer above")
    write(tmp_path / "a.md", "One that states it", article_id="eyes")
    scan, _ = built(tmp_path, base=base)
    assert str(scan.places["eyes"]) == str(tmp_path / "z" / "eyes.md")
    assert str(scan.places["eyes-2"]) == str(tmp_path / "eyes.md")
    (failure,) = scan.failures
    assert 'the id "eyes" is already that of' in failure.reason
    assert failure.path == str(tmp_path / "a.md")
    # On another machine, which has the corpus and no index.
    assert built(tmp_path)[0].articles == scan.articles


def test_an_id_stays_with_a_file_that_can_no_longer_be_read(tmp_path: Path) -> None:
    write(tmp_path / "z" / "eyes.md", "The first")
    _, base = built(tmp_path)
    (tmp_path / "z" / "eyes.md").write_bytes(b"\xff\xfe")
    write(tmp_path / "eyes.md", "A newcomer")
    scan, base = built(tmp_path, base=base)
    assert scan.articles.keys() == {"eyes-2"}
    assert scan.failed == {"eyes"}
    write(tmp_path / "z" / "eyes.md", "The first")
    assert ids(tmp_path, base=base) == {"eyes": "z/eyes.md", "eyes-2": "eyes.md"}


@pytest.mark.parametrize("edits", [0, 1])
def test_a_renamed_file_keeps_its_address_alive(tmp_path: Path, edits: int) -> None:
    write(tmp_path / "knee.md", "Knee")
    write(tmp_path / "eyes.md", "Eyes")
    _, base = built(tmp_path)
    text = (tmp_path / "knee.md").read_text()
    for number in range(edits):
        text = text.replace(f"Part {number} of Knee", "Something else")
    (tmp_path / "leg.md").write_text(text)
    (tmp_path / "knee.md").unlink()
    scan, base = built(tmp_path, base=base)
    assert scan.moved == {"knee": "leg"}
    assert (scan.changes.moved, scan.changes.added, scan.changes.removed) == (1, 0, 0)
    assert [(each.id, each.moved_to) for each in base.former] == [("knee", "leg")]
    # Its address is nobody else's.
    write(tmp_path / "knee.md", "Another knee")
    assert ids(tmp_path, base=base).keys() == {"eyes", "leg", "knee-2"}


def test_a_file_that_is_moved_back_has_its_old_address_again(tmp_path: Path) -> None:
    write(tmp_path / "knee.md", "Knee")
    write(tmp_path / "eyes.md", "Eyes")
    _, base = built(tmp_path)
    (tmp_path / "knee.md").rename(tmp_path / "leg.md")
    _, base = built(tmp_path, base=base)
    (tmp_path / "leg.md").rename(tmp_path / "knee.md")
    scan, base = built(tmp_path, base=base)
    assert scan.articles.keys() == {"knee", "eyes"}
    assert [(each.id, each.moved_to) for each in base.former] == [("leg", "knee")]


def test_a_file_with_two_fifths_of_its_sections_changed_is_another_article(tmp_path: Path) -> None:
    write(tmp_path / "knee.md", "Knee")
    write(tmp_path / "eyes.md", "Eyes")
    _, base = built(tmp_path)
    text = (tmp_path / "knee.md").read_text()
    for number in range(2):
        text = text.replace(f"Part {number} of Knee", "Something else")
    (tmp_path / "leg.md").write_text(text)
    (tmp_path / "knee.md").unlink()
    scan, base = built(tmp_path, base=base)
    assert scan.moved == {}
    assert (scan.added, scan.removed) == ({"leg"}, {"knee"})
    assert scan.changes.moved == 0
    # What was at a place and comes back to it has its address again.
    (tmp_path / "leg.md").rename(tmp_path / "knee.md")
    assert "knee" in ids(tmp_path, base=base)


def test_of_two_files_that_may_be_the_renamed_one_neither_is(tmp_path: Path) -> None:
    write(tmp_path / "knee.md", "Knee")
    write(tmp_path / "eyes.md", "Eyes")
    _, base = built(tmp_path)
    for name in ("leg.md", "shin.md"):
        (tmp_path / name).write_bytes((tmp_path / "knee.md").read_bytes())
    (tmp_path / "knee.md").unlink()
    scan, _ = built(tmp_path, base=base)
    assert scan.moved == {}
    assert scan.added == {"leg", "shin"}


def test_an_article_that_states_another_id_than_before_has_moved(tmp_path: Path) -> None:
    write(tmp_path / "a.md", "Knee", article_id="knee")
    write(tmp_path / "eyes.md", "Eyes")
    _, base = built(tmp_path)
    write(tmp_path / "a.md", "Knee", article_id="leg")
    scan, base = built(tmp_path, base=base)
    assert scan.moved == {"knee": "leg"}
    write(tmp_path / "b.md", "Another", article_id="knee")
    scan, _ = built(tmp_path, base=base)
    (failure,) = scan.failures
    assert "leads to" in failure.reason
    assert "kb addresses --release knee" in failure.reason


def test_names_that_differ_in_case_form_or_spaces_are_other_articles(tmp_path: Path) -> None:
    names = ("Eyes.md", "eyes.md", "a b.md", "a-b.md", "caf\u00e9.md", "cafe\u0301.md")
    for name in names:
        write(tmp_path / name, repr(name))
    found = ids(tmp_path)
    assert sorted(found.values()) == sorted(names)
    assert found.keys() == {"Eyes", "eyes", "a-b", "a-b-2", "caf\u00e9", "caf\u00e9-2"}


def test_a_corpus_that_may_only_be_read_gives_the_ids_that_the_index_knows(tmp_path: Path) -> None:
    write(tmp_path / "z" / "eyes.md", "The first")
    scan = Scan([tmp_path])
    scan.finish()
    base = Sources(files=tuple(scan.files), articles=scan.articles)
    write(tmp_path / "eyes.md", "A newcomer")
    again = Scan([tmp_path], base)
    again.finish()
    assert again.places["eyes"].path == tmp_path / "z" / "eyes.md"


# Commands


def test_adding_the_articles_of_folders_touches_no_other(tmp_path: Path) -> None:
    corpus, incoming = tmp_path / "corpus", tmp_path / "import"
    write(corpus / "burns" / "index.md", "Burns")
    write(corpus / "rash" / "index.md", "Rashes")
    write(incoming / "eyes" / "index.md", "Eyes")
    write(incoming / "burns" / "index.md", "Other burns")
    write(incoming / "index.md", "All of it")
    before = {path: path.read_bytes() for path in corpus.rglob("*.md")}
    edit = add([corpus], [incoming])
    assert {each.id: each.path.relative_to(corpus).as_posix() for each in edit.accepted} == {
        "eyes": "eyes/index.md",
        "import-burns": "import/burns/index.md",
        "import": "import/index.md",
    }
    assert all(path.read_bytes() == content for path, content in before.items())
    assert {step.action for step in edit.steps} == {"written"}
    # The same once more is the same articles.
    again = add([corpus], [incoming])
    assert {each.id for each in again.accepted} == {each.id for each in edit.accepted}
    assert {step.action for step in again.steps} == {"replaced"}


def test_adding_one_file_replaces_the_article_of_its_name_and_title_alone(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    write(corpus / "knee.md", "Knee")
    edited = write(tmp_path / "new" / "knee.md", "Knee", text="Edited.")
    (accepted,) = add([corpus], [edited]).accepted
    assert (accepted.id, accepted.replaced) == ("knee", True)
    other = write(tmp_path / "new" / "knee.md", "The knee of a horse")
    (accepted,) = add([corpus], [other]).accepted
    assert (accepted.id, accepted.replaced) == ("new-knee", False)
    assert "Edited." in (corpus / "knee.md").read_text()
    assert accepted.path == corpus / "new" / "knee.md"


def test_a_dry_run_names_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    write(corpus / "knee.md", "Knee")
    incoming = write(tmp_path / "knee.txt", "Knee")
    incoming.write_text("Knee\n\nIn plain text, all of it.\n")
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    steps = add([corpus], [incoming], dry_run=True).steps
    assert [(step.action, step.path.name) for step in steps] == [
        ("written", "knee.txt"),
        ("deleted", "knee.md"),
    ]
    assert [step[:2] for step in remove([corpus], ["knee"], dry_run=True).steps] == [
        ("deleted", corpus / "knee.md")
    ]
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before
    assert add([corpus], [incoming]).steps == steps


def test_an_id_that_was_promised_holds_though_no_build_has_seen_it(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (accepted,) = add([corpus], [write(tmp_path / "z" / "eyes" / "index.md", "Eyes")]).accepted
    assert accepted.id == "eyes"
    write(corpus / "eyes.md", "One that sorts before it")
    assert ids(corpus)["eyes"] == "eyes/index.md"


def test_where_several_files_state_an_id_removing_it_names_them_and_does_nothing(
    tmp_path: Path,
) -> None:
    one = write(tmp_path / "a.md", "One", article_id="knee")
    two = write(tmp_path / "b.md", "Two", article_id="knee")
    edit = remove([tmp_path], ["knee"])
    assert edit.removed == ()
    (failure,) = edit.failures
    assert str(one) in failure.reason
    assert str(two) in failure.reason
    assert one.exists()
    assert two.exists()


def test_a_withdrawn_article_leaves_its_reason_and_no_other_gets_its_address(
    tmp_path: Path,
) -> None:
    write(tmp_path / "knee.md", "Knee")
    write(tmp_path / "eyes.md", "Eyes")
    with pytest.raises(InvalidRequest, match="see is 'nobody'"):
        remove([tmp_path], ["knee"], see="nobody")
    remove([tmp_path], ["knee"], because="It is\n out of date.", see="eyes")
    _, base = built(tmp_path)
    (former,) = base.former
    assert (former.id, former.title, former.because, former.see) == (
        *("knee", "Knee", "It is out of date.", "eyes"),
    )
    assert former.withdrawn
    other = write(tmp_path / "new" / "knee.md", "Another knee")
    assert ids(tmp_path, base=base)["new-knee"] == "new/knee.md"
    other.unlink()
    # The article itself may come back.
    (accepted,) = add([tmp_path], [write(tmp_path.parent / "knee.md", "Knee")]).accepted
    assert accepted.id == "knee"
    assert "knee" in ids(tmp_path)


def test_an_address_that_leads_elsewhere_can_be_given_to_nobody(tmp_path: Path) -> None:
    write(tmp_path / "knee.md", "Knee")
    write(tmp_path / "eyes.md", "Eyes")
    _, base = built(tmp_path)
    (tmp_path / "knee.md").rename(tmp_path / "leg.md")
    built(tmp_path, base=base)
    with pytest.raises(ArticleError, match="leads to"):
        put([tmp_path], "knee", ".md", b"# Knee\n\nText.\n")


def test_articles_wait_for_their_day_and_leave_on_another(tmp_path: Path) -> None:
    page = "---\npublish: 2026-02-01\nexpires: 2026-03-01\n---\n# Flu\n\nThis winter.\n"
    (tmp_path / "flu.md").write_text(page)
    write(tmp_path / "eyes.md", "Eyes")

    def on(day: str) -> tuple[set[str], list[tuple[str, bool]]]:
        scan = Scan([tmp_path], day=day)
        scan.finish()
        return set(scan.articles), [(each.id, each.expired) for each in scan.former_addresses()]

    assert on("2026-01-31") == ({"eyes"}, [])
    assert on("2026-02-01") == ({"eyes", "flu"}, [])
    assert on("2026-03-01") == ({"eyes"}, [("flu", True)])


# The ledger


def test_a_line_that_was_cut_off_is_passed_over_and_written_over(tmp_path: Path) -> None:
    knee, eyes = (Address(name, Spot(0, f"{name}.md")) for name in ("knee", "eyes"))
    append(tmp_path, 0, [knee])
    with (tmp_path / LEDGER).open("ab") as file:
        file.write(b'{"id": "ey')
    assert Ledger.read(tmp_path, 0).addresses == {"knee": knee}
    append(tmp_path, 0, [eyes])
    assert Ledger.read(tmp_path, 0).addresses == {"knee": knee, "eyes": eyes}


def test_a_ledger_that_cannot_be_understood_stops_everything(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_text('{"id": "knee"}\n')
    with pytest.raises(CorpusError, match=f"{LEDGER}:1 is no address"):
        Ledger.read(tmp_path, 0)


def test_what_others_promised_meanwhile_stays(tmp_path: Path) -> None:
    knee = Address("knee", Spot(0, "knee.md"))
    append(tmp_path, 0, [knee])
    read = Ledger.read(tmp_path, 0).addresses
    withdrawn = replace(knee, state="withdrawn", withdrawn="2026-12-01")
    append(tmp_path, 0, [withdrawn, Address("eyes", Spot(0, "eyes.md"))])
    settle(tmp_path, 0, read, {"knee": replace(knee, bytes="abc")})
    assert Ledger.read(tmp_path, 0).addresses.keys() == {"knee", "eyes"}
    assert Ledger.read(tmp_path, 0).addresses["knee"] == withdrawn


def test_the_ledger_is_no_article_and_neither_are_the_tombstones(tmp_path: Path) -> None:
    write(tmp_path / "knee.md", "Knee")
    remove([tmp_path], ["nobody"])
    built(tmp_path)
    (tmp_path / "_removed.txt").write_text("gone\n")
    assert {path.name for path in tmp_path.iterdir()} == {"knee.md", *RECORD_FILES}
    assert ids(tmp_path) == {"knee": "knee.md"}

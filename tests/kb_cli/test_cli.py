"""kb_cli: exit codes, what goes to stdout and what to stderr"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import NotFound
from kb_cli.commands.show import find
from support.commands import Kb, commands
from support.questions import QUESTION


@pytest.fixture
def kb(capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs the command line in this process: exit code, stdout and stderr."""
    return commands(capsys)


def process(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command line in a process of its own."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("kb")), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_without_a_command_the_commands_are_listed_and_it_is_wrong_usage(kb: Kb) -> None:
    code, out, err = kb()
    assert code == 2
    for command in ("build", "search", "serve", "show", "eval", "tune", "new", "lint"):
        assert command in out + err


@pytest.mark.parametrize(
    "command", ["build", "search", "serve", "show", "eval", "tune", "new", "lint"]
)
def test_every_command_has_help_on_stdout(kb: Kb, command: str) -> None:
    for flag in ("--help", "-h"):
        code, out, err = kb(command, flag)
        assert (code, err) == (0, "")
        assert out.startswith(f"Usage: kb {command}")


def test_the_version_is_told(kb: Kb) -> None:
    code, out, _ = kb("--version")
    assert code == 0
    assert out.startswith("kb, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("search",),
        ("search", "legs", "--limit", "many"),
        ("show", "--no-such-option", "a"),
        ("show",),
        ("show", "a", "b"),
        ("eval",),
        ("eval", "--topics", "no-such-file", "--qrels", "no-such-file"),
        ("tune", "--topics", __file__),
        ("tune", "--reset", "--force"),
        ("tune", "--dry-run"),
        ("build", "--index", __file__),
    ],
)
def test_wrong_usage_is_2_with_a_message_on_stderr(kb: Kb, arguments: tuple[str, ...]) -> None:
    code, out, err = kb(*arguments)
    assert (code, out) == (2, "")
    assert "Error:" in err


def test_a_search_prints_cited_passages_on_stdout(kb: Kb, index_path: Path) -> None:
    code, out, err = kb("search", "--index", index_path, QUESTION)
    assert (code, err) == (0, "")
    assert out.startswith("1. ")
    assert "Hypnic Jerks" in out.split("\n")[0]
    assert "/articles/sleep-starts-hypnic-jerks#" in out
    assert "\n10. " in out
    assert "\n11. " not in out
    assert kb("search", "--index", index_path, *QUESTION.split()) == (code, out, err)


def test_notices_are_printed_above_the_results(kb: Kb, index_path: Path) -> None:
    code, out, _ = kb("search", "--index", index_path, "crushing chest pain")
    assert code == 0
    title, _, rest = out.partition("\n")
    assert title == "Chest pain or a possible heart attack"
    assert rest.index("https://www.nhs.uk/conditions/heart-attack/") < rest.index("1. ")


def test_the_json_of_a_search_is_that_of_the_api(
    kb: Kb, index_path: Path, knowledge_base: KnowledgeBase
) -> None:
    code, out, err = kb(
        "search", "--json", "--index", index_path, "--limit", 3, "--offset", 2, QUESTION
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    expected = json.loads(json.dumps(knowledge_base.search(QUESTION, 3, 2).to_dict()))
    assert set(found.pop("timings")) == set(expected.pop("timings"))
    assert found == expected
    assert [result["rank"] for result in found["results"]] == [3, 4, 5]


def test_a_search_is_narrowed_as_in_the_api(
    kb: Kb, index_path: Path, knowledge_base: KnowledgeBase
) -> None:
    options = {"mode": "keyword", "group_by": "article", "topic": "sleep", "language": "en"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    arguments = [part.replace("group_by", "group-by") for part in arguments]
    _, out, _ = kb("search", "--json", "--explain", "--index", index_path, *arguments, QUESTION)
    found = json.loads(out)
    asked = knowledge_base.search(QUESTION, explain=True, **options)  # type: ignore[arg-type]
    expected = json.loads(json.dumps(asked.to_dict()))
    assert found["explanation"] == expected["explanation"] is not None
    assert found["results"] == expected["results"]
    code, _, err = kb("search", "--index", index_path, "--updated-since", "May", QUESTION)
    assert code == 2
    assert "--updated-since is not a date" in err


def test_filters_are_given_once_for_each_value(
    kb: Kb, index_path: Path, knowledge_base: KnowledgeBase
) -> None:
    values = ["--topic", "nerves", "--topic", "-sleep", "--topic=muscles", "--language", "-de"]
    _, out, _ = kb("search", "--json", "--index", index_path, *values, QUESTION)
    asked = knowledge_base.search(QUESTION, topic=["nerves", "muscles", "-sleep"])
    assert json.loads(out)["results"] == json.loads(json.dumps(asked.to_dict()))["results"]
    code, _, err = kb("search", "--index", index_path, *["--source", "x"] * 51, QUESTION)
    assert code == 2
    assert "--source has 51 values; the most is 50." in err


@pytest.mark.parametrize("command", ["rollback", "gc", "check", "status"])
def test_what_cares_for_an_index_makes_none(kb: Kb, tmp_path: Path, command: str) -> None:
    code, _, err = kb(command, "--index", tmp_path / "none")
    assert code == 3
    assert "kb build" in err
    assert not (tmp_path / "none").exists()


def test_no_answer_is_done_and_said_on_stderr(kb: Kb, index_path: Path) -> None:
    code, out, err = kb("search", "--index", index_path, "who won the world cup final in 1998")
    assert code == 0
    assert "Nothing in this library comes near enough" in err
    assert "The nearest passages:" in err
    assert out.startswith("1. ")
    code, out, err = kb("search", "--index", index_path, '"no such phrase anywhere"')
    assert (code, out, err) == (0, "", "Nothing here meets the question’s conditions.\n")


def test_a_repair_is_said_and_can_be_refused(kb: Kb, index_path: Path) -> None:
    asked = ("search", "--index", index_path, "what exersise eases sciatica")
    code, out, err = kb(*asked)
    assert code == 0
    assert err.startswith("Searched for: what exercise eases sciatica")
    assert out.startswith("1. Sciatica")
    assert "Searched for" not in kb(*asked, "--exact")[2]


def test_what_a_minus_left_out_is_said_with_the_question_that_has_it(
    kb: Kb, index_path: Path
) -> None:
    code, out, err = kb("search", "--index", index_path, "leg cramps -magnesium")
    assert code == 0
    assert err.startswith("Left out: magnesium  (with it: leg cramps magnesium)")
    assert out.startswith("1. ")


def test_when_to_seek_care_comes_along_with_a_symptom(kb: Kb, index_path: Path) -> None:
    _, out, _ = kb("search", "--index", index_path, "shooting pain from my buttock to my foot")
    assert "When to seek care: Sciatica and Pinched Nerves › Red Flags: Get Help at Once" in out
    assert out.count("Red Flags: Get Help at Once") == 1
    _, out, _ = kb("search", "--index", index_path, "who invented the stethoscope")
    assert "When to seek care" not in out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("  ",), ("question is empty",)),
        (("secret " * 1429,), ("10,003", "4,000")),
        (("legs", "--limit", "0"), ("limit is 0", "1 to 100")),
        (("legs", "--limit", "-1"), ("limit is -1", "1 to 100")),
        (("legs", "--limit", "10000"), ("limit is 10000", "1 to 100")),
        (("legs", "--offset", "-1"), ("offset is -1", "at least 0")),
        (("legs", "--offset", "1000"), ("offset is 1000", "limit 10", "1,000")),
    ],
)
def test_a_bad_question_or_page_is_2_and_names_value_and_limit_and_never_the_text(
    kb: Kb, index_path: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    code, out, err = kb("search", "--index", index_path, *arguments)
    assert (code, out) == (2, "")
    assert all(part in err for part in parts)
    assert "secret" not in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "command", [("search", "legs"), ("show", "legs"), ("serve",), ("tune",), ("tune", "--reset")]
)
def test_a_missing_index_is_3_and_says_how_to_make_it(
    kb: Kb, tmp_path: Path, command: tuple[str, ...]
) -> None:
    code, out, err = kb(*command, "--index", tmp_path / "none")
    assert (code, out) == (3, "")
    assert f"kb build --index {tmp_path / 'none'}" in err


@pytest.mark.parametrize("command", [("search", "legs"), ("show", "pulse-points")])
def test_a_damaged_index_or_another_format_is_3_and_names_the_file(
    kb: Kb,
    index_copy: Path,
    replace_content: Callable[[Path, bytes], None],
    command: tuple[str, ...],
) -> None:
    folder = index_copy / "generations" / (index_copy / "CURRENT").read_text().strip()
    path = folder / "vectors" / "names.npy"
    content = path.read_bytes()
    replace_content(path, content[:-4])
    code, out, err = kb(*command, "--index", index_copy)
    assert (code, out) == (3, "")
    assert str(path) in err
    assert "kb build" in err
    replace_content(path, content)
    manifest = folder / "manifest.json"
    replace_content(
        manifest, json.dumps(json.loads(manifest.read_bytes()) | {"format_version": 99}).encode()
    )
    code, out, err = kb(*command, "--index", index_copy)
    assert (code, out) == (3, "")
    assert "format version 99" in err
    assert "kb build" in err


def test_the_index_may_be_named_by_the_environment(
    kb: Kb, index_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert kb("search", "legs")[0] == 3
    monkeypatch.setenv("KB_INDEX", str(index_path))
    assert kb("search", "legs")[0] == 0
    assert kb("search", "legs", "--index", tmp_path)[0] == 3


def test_show_prints_an_article_or_a_section_word_for_word(
    kb: Kb, index_path: Path, knowledge_base: KnowledgeBase
) -> None:
    article = knowledge_base.article("pulse-points")
    code, out, err = kb("show", "--index", index_path, "pulse-points")
    assert (code, err) == (0, "")
    assert out.startswith(article.title)
    assert "not clinically reviewed" in out.lower()
    for section in article.sections:
        assert section.text in out
        assert section.heading in out
        code, own, _ = kb("show", "--index", index_path, f"pulse-points#{section.id}")
        assert code == 0
        assert own.endswith(f"\n\n{section.text}\n")
    found = json.loads(kb("show", "--json", "--index", index_path, "pulse-points")[1])
    assert (found["id"], len(found["sections"])) == ("pulse-points", len(article.sections))
    found = json.loads(kb("show", "--json", "--index", index_path, "pulse-points#top")[1])
    assert found["text"] == article.sections[0].text


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("nothing", ("'nothing'", "kb search")),
        ("pulse-points#nothing", ("'pulse-points'", "'nothing'", "top")),
        ("#top", ("'#top'",)),
        ("\udcff", ("no article",)),
    ],
)
def test_what_show_does_not_find_is_1_and_named(
    kb: Kb, index_path: Path, name: str, parts: tuple[str, ...]
) -> None:
    code, out, err = kb("show", "--index", index_path, name)
    assert (code, out) == (1, "")
    assert all(part in err for part in parts)


def test_a_name_is_split_at_the_first_hash_whose_left_side_is_a_known_article() -> None:
    from kb.schema.article import Article, Section

    sections = tuple(Section(name, name, 2, "Text.") for name in ("b#c", "c", "top"))
    known = {name: Article(name, name, sections) for name in ("a", "x#1", "x#1#2")}

    class Shelf:
        def article(self, name: str) -> Article:
            if name not in known:
                raise NotFound(name)
            return known[name]

    def found(name: str) -> tuple[str, str | None]:
        article, section = find(Shelf(), name)  # type: ignore[arg-type]
        return article.id, section and section.id

    assert found("a") == ("a", None)
    assert found("a#c") == ("a", "c")
    assert found("a#b#c") == ("a", "b#c")
    assert found("x#1") == ("x#1", None)
    assert found("x#1#c") == ("x#1", "c")
    with pytest.raises(NotFound, match=r"'x#1' has no section '2'"):
        found("x#1#2")
    with pytest.raises(NotFound, match="'y#c'"):
        found("y#c")


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda _: None, ("does not exist",)),
        (lambda folder: folder.mkdir(), ("no article", "*.md")),
        (lambda folder: folder.write_text("x"), ("is a file of another form", "FILE.md")),
    ],
    ids=["missing", "empty", "no article file"],
)
def test_a_corpus_that_is_none_is_1_and_named(
    kb: Kb, tmp_path: Path, make: Callable[[Path], None], parts: tuple[str, ...]
) -> None:
    make(tmp_path / "corpus")
    code, out, err = kb("build", "--index", tmp_path / "index", "--corpus", tmp_path / "corpus")
    assert (code, out) == (1, "")
    assert str(tmp_path / "corpus") in err
    assert all(part in err for part in parts)


def test_articles_that_cannot_be_read_are_named_and_the_others_built(
    kb: Kb, tmp_path: Path, index_copy: Path
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "good.md").write_text("---\nid: one\ntitle: Good\n---\nSome text.\n")
    (corpus / "latin.md").write_bytes(b"# Caf\xe9\n\nText.\n")
    (corpus / "matter.md").write_text("---\ntitle: [\n---\nText.\n")
    (corpus / "twin.md").write_text("---\nid: one\ntitle: Twin\n---\nOther text.\n")
    # Into a copy of an index, so that its encoder is copied and not exported again.
    arguments = ("build", "--index", index_copy, "--corpus", corpus)
    code, out, err = kb(*arguments, "--replace", "--json")
    assert code == 1
    report = json.loads(out)
    assert report["articles"] == 1
    assert sorted(Path(failure["path"]).name for failure in report["failures"]) == [
        *("latin.md", "matter.md", "twin.md")
    ]
    assert "3 articles or files could not be read:" in err
    for part in ("latin.md", "not UTF-8", "matter.md", "twin.md", '"one"'):
        assert part in err
    assert kb("show", "--index", index_copy, "one")[1].startswith("Good")
    code, out, err = kb(*arguments, "--if-stale")
    assert (code, out) == (0, "")
    assert "up to date" in err


@pytest.mark.slow
def test_an_unknown_model_is_1_and_named(kb: Kb, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\nText.\n")
    code, out, err = kb(
        "build", "--index", tmp_path / "index", "--corpus", tmp_path, "--model", "no-such/model"
    )
    assert (code, out) == (1, "")
    assert "'no-such/model'" in err


@pytest.mark.filterwarnings("ignore::Warning")
def test_a_reranker_that_cannot_be_loaded_is_1_and_named(
    kb: Kb, index_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_RERANKER", "no/such/reranker")
    code, out, err = kb("search", "--index", index_path, "leg cramps at night")
    assert (code, out) == (1, "")
    assert "'no/such/reranker' cannot be loaded" in err
    assert "leg cramps" not in err


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Path, Path]:
    topics, qrels = tmp_path / "topics.jsonl", tmp_path / "qrels"
    topics.write_text(json.dumps({"id": "q1", "text": QUESTION, "lay": "sore gums"}) + "\n")
    qrels.write_text("q1 0 sleep-starts-hypnic-jerks 2\nq1 0 pulse-points 0\n")
    return topics, qrels


def test_eval_prints_the_measures_and_writes_the_run(
    kb: Kb, index_path: Path, tmp_path: Path, judged: tuple[Path, Path]
) -> None:
    common = (
        "--index",
        index_path,
        "--topics",
        judged[0],
        "--qrels",
        judged[1],
        "--unit",
        "article",
    )
    code, out, err = kb("eval", *common, "--depth", 3, "--run-out", tmp_path / "run")
    assert (code, err) == (0, "")
    lines = dict(line.rsplit(maxsplit=1) for line in out.splitlines())
    assert lines["topics"] == "1"
    assert lines["P(rel=2)@1"] == "1.0000"
    run_lines = (tmp_path / "run").read_text().splitlines()
    assert len(run_lines) == 3
    assert run_lines[0].startswith("q1 Q0 sleep-starts-hypnic-jerks 1 0.")
    code, out, _ = kb("eval", *common, "--json", "--field", "lay")
    assert code == 0
    assert json.loads(out)["measures"]["P(rel=2)@1"] == 0.0


def test_eval_says_where_nothing_relevant_is_found_at_all(
    kb: Kb, index_path: Path, judged: tuple[Path, Path]
) -> None:
    code, _, err = kb("eval", "--index", index_path, "--topics", judged[0], "--qrels", judged[1])
    assert code == 0
    assert "No relevant section was found" in err
    assert "--unit is section" in err


def test_bad_topics_are_1_and_named(kb: Kb, index_path: Path, judged: tuple[Path, Path]) -> None:
    judged[0].write_text("nonsense\n")
    code, out, err = kb("eval", "--index", index_path, "--topics", judged[0], "--qrels", judged[1])
    assert (code, out) == (1, "")
    assert f"{judged[0]}:1" in err


def test_new_writes_a_file_and_lint_reads_it(kb: Kb, tmp_path: Path) -> None:
    code, out, err = kb("new", "Sore gums", "--folder", tmp_path)
    assert (code, err) == (0, "")
    assert Path(out.strip()).is_file()
    assert kb("new", "Sore gums", "--folder", tmp_path)[0] == 1
    code, out, err = kb("lint", tmp_path)
    assert code == 1
    assert "sore-gums.md" in out
    assert "finding" in err
    assert "passed over" not in err
    (tmp_path / "draft.docx").touch()
    assert f"passed over: 1 Word document ({tmp_path / 'draft.docx'}: " in kb("lint", tmp_path)[2]


def test_a_plain_search_imports_neither_torch_nor_whooshs_index(index_path: Path) -> None:
    script = (
        "import sys; from kb_cli.main import run\n"
        "code = run(['search', '--index', sys.argv[1], 'why do my legs jerk'])\n"
        "loaded = [name for name in ('torch', 'sentence_transformers', 'whoosh.index', 'indexer', 'search_api',"
        " 'fastapi', 'ir_measures', 'tqdm') if name in sys.modules]\n"
        "sys.exit(f'{code} {loaded}' if code or loaded else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(index_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1. ")


def test_the_command_itself_exits_as_it_should(index_path: Path, tmp_path: Path) -> None:
    found = process("search", "--index", index_path, QUESTION)
    assert (found.returncode, found.stderr) == (0, "")
    assert "\x1b" not in found.stdout
    assert process("search", "--index", tmp_path / "none", "legs").returncode == 3
    assert process("search", "--index", index_path, "").returncode == 2


def test_bytes_that_are_not_utf8_can_be_asked_and_printed(index_path: Path) -> None:
    for flag in ([], ["--json"]):
        found = process("search", *flag, "--index", index_path, os.fsdecode(b"leg \xff jerks"))
        assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(index_path: Path, unbuffered: str) -> None:
    command = f'"{Path(sys.executable).with_name("kb")}" search --json --limit 100 --index "{index_path}" legs'
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -c 1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},  # set, it hides the broken pipe
        check=False,
    )
    assert (done.stdout, done.stderr) == ("{0\n", "")


def test_what_a_command_does_not_need_is_not_imported_to_start() -> None:
    script = (
        "import sys, kb_cli.main\n"
        "print([name for name in ('numpy', 'onnxruntime', 'whoosh', 'fastapi') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

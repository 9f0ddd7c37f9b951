"""Whatever is added, sent, moved, edited, deleted and built, no article is lost and no address changes hands."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from indexer.corpus.editing import Edit, add, put, remove
from indexer.corpus.files import RECORD_FILES
from indexer.corpus.scan import Scan
from indexer.corpus.unpacking import Limits, unpack
from indexer.identity.ledger import FILE as LEDGER
from kb.schema.errors import ArticleError
from kb.storage.addresses import Addresses
from kb.storage.sources import Sources
from support.examples import at_most

FOLDERS = ("", "burns", "eyes", "Eyes", "a b", "burns/deep", "_notes")
NAMES = (
    *("index.md", "_index.md", "README.md", "index.txt", "knee.md", "Knee.md", "knee.txt", "a b.md", "a-b.md"),
    *("caf\u00e9.md", "cafe\u0301.md", "_draft.md", "burns.md", "eyes.md"),
)  # fmt: skip
IDS = ("burns", "eyes", "knee", "README", "a-b", "index", "fresh-one")

paths = st.builds(
    lambda folder, name: f"{folder}/{name}".lstrip("/"),
    st.sampled_from(FOLDERS),
    st.sampled_from(NAMES),
)


def text_of(token: str, title: str, edits: int = 0) -> bytes:
    """An article that nobody takes for another: each of its sections holds the token."""
    sections = "".join(f"\n## Part {n} of {token}\n\nText {n} of {token}.\n" for n in range(6))
    return f"# {title}\n\nThis is @{token}@.\n{sections}\n## Edits\n\n{edits} times.\n".encode()


def token_of(content: bytes) -> str:
    return content.decode().split("@")[1]


class Tree(RuleBasedStateMachine):
    """A corpus in two folders, the second of which is not written to, and a collection.

    `files` are the contents of the first folder as they ought to be, `published` says which article's token an address
    has had, `addressed` which ids a command was told to give another content.
    """

    @initialize()
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="kb-addresses-"))
        self.corpus, self.other = self.root / "corpus", self.root / "other"
        for folder in (self.corpus, self.other / "knee"):
            folder.mkdir(parents=True)
        self.collection = self.root / "many.jsonl"
        self.collection.write_bytes(
            b'{"id": "eyes", "title": "Eyes", "sections": [{"id": "s", "text": "@eyes-in-many@"}]}\n'
            b'{"id": "many-2", "title": "Two", "sections": [{"id": "s", "text": "@two-in-many@"}]}\n'
        )
        (self.other / "knee" / "index.md").write_bytes(text_of("other-knee", "Other knee"))
        self.corpora = [self.corpus, self.other, self.collection]
        self.numbers = count()
        self.files: dict[str, bytes] = {}
        self.published: dict[str, str] = {}
        self.known: Sources | None = None

    def teardown(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    # By hand

    @rule(path=paths)
    def write_a_file(self, path: str) -> None:
        if self._is_there(path) or path in self.ever_used():
            return
        token = f"token-{next(self.numbers)}"
        self._write(path, text_of(token, f"About {token}"))

    @rule(data=st.data())
    def edit_a_file(self, data: st.DataObject) -> None:
        if self.files:
            path = data.draw(st.sampled_from(sorted(self.files)))
            content = self.files[path]
            self._write(path, content.replace(b" times.", b"1 times."))

    @rule(data=st.data(), path=paths)
    def move_a_file(self, data: st.DataObject, path: str) -> None:
        if not self.files or self._is_there(path) or path in self.ever_used():
            return
        before = data.draw(st.sampled_from(sorted(self.files)))
        self._write(path, self.files[before])
        self._unlink(before)

    @rule(data=st.data())
    def delete_a_file(self, data: st.DataObject) -> None:
        if self.files:
            self._unlink(data.draw(st.sampled_from(sorted(self.files))))

    # By command

    @rule(path=paths, same_title=st.booleans(), whole_folder=st.booleans(), dry=st.booleans())
    def add_a_file(self, path: str, same_title: bool, whole_folder: bool, dry: bool) -> None:
        token = f"token-{next(self.numbers)}"
        title = self._title_near(path) if same_title else f"About {token}"
        incoming = self.root / "incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        (incoming / path).parent.mkdir(parents=True)
        (incoming / path).write_bytes(text_of(token, title))
        given = incoming if whole_folder else incoming / path
        edit = add(self.corpora, [given], self.known, dry_run=dry)
        assert not edit.failures
        if not dry:
            self._was_added(edit, {token: (incoming / path).read_bytes()})

    @rule(chosen=st.lists(paths, min_size=1, max_size=3, unique=True))
    def upload_an_archive(self, chosen: list[str]) -> None:
        sent: dict[str, bytes] = {}
        archive = self.root / "sent.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            for path in chosen:
                token = f"token-{next(self.numbers)}"
                sent[token] = text_of(token, f"About {token}")
                packed.writestr(path, sent[token])
        folder = self.root / "unpacked"
        shutil.rmtree(folder, ignore_errors=True)
        found = unpack([("sent.zip", archive)], folder, Limits(10**6, 100))
        assert not found.failures
        names = dict(found.files)
        places = {path: "/".join(path.relative_to(folder).parts[1:]) for path in names}
        edit = add(self.corpora, list(names), self.known, None, names, places)
        assert not edit.failures
        self._was_added(edit, sent)

    @rule(article_id=st.sampled_from(IDS), suffix=st.sampled_from([".md", ".txt"]))
    def put_an_article(self, article_id: str, suffix: str) -> None:
        token = f"token-{next(self.numbers)}"
        content = text_of(token, f"About {token}")
        try:
            accepted = put(self.corpora, article_id, suffix, content, self.known)
        except ArticleError as error:
            assert "leads to" in error.reason  # an address that its article has left
            return
        assert accepted.id == article_id
        self.published[article_id] = token
        self._apply(accepted.steps, {accepted.path: content}, {article_id})

    @rule(data=st.data())
    def remove_an_article(self, data: st.DataObject) -> None:
        ids = sorted(self._scan().articles)
        if len(ids) < 3:
            return
        article_id = data.draw(st.sampled_from(ids))
        edit = remove(self.corpora, [article_id], self.known, because="No longer true")
        assert edit.removed == (article_id,)
        assert not edit.failures
        self.published.pop(article_id, None)
        self._apply(edit.steps, {}, {article_id})

    @rule()
    def build(self) -> None:
        scan = self._scan()
        scan.keep_ledger()
        self.known = Sources(
            files=tuple(scan.files),
            articles=scan.articles,
            former=tuple(scan.former_addresses()),
        )
        self.addresses = Addresses(self.known.former)
        served = {each: self._token(scan, each) for each in scan.articles}
        for article_id, token in self.published.items():
            now = self.addresses.current(article_id)
            if now in served:
                assert served[now] == token, (article_id, now)
            else:
                assert token not in served.values(), (article_id, now)
        self.published.update(served)
        on_disk = {token_of(content) for content in self.files.values()}
        assert on_disk <= set(served.values())

    @rule()
    def build_from_nothing_too(self) -> None:
        self.build()
        ledger = (self.corpus / LEDGER).read_bytes() if (self.corpus / LEDGER).exists() else b""
        fresh = Scan(self.corpora, may_be_empty=True)
        fresh.finish()
        assert self.known is not None
        assert fresh.articles == self.known.articles
        assert sorted(fresh.former_addresses(), key=str) == sorted(self.known.former, key=str)
        fresh.keep_ledger()
        assert not ledger or (self.corpus / LEDGER).read_bytes() == ledger

    @invariant()
    def every_file_is_as_it_was_left(self) -> None:
        assert dict(self._on_disk()) == self.files
        assert token_of((self.other / "knee" / "index.md").read_bytes()) == "other-knee"

    def ever_used(self) -> set[str]:
        """Paths that an article has had: one that comes back there is taken for the same."""
        ledger = Scan(self.corpora, may_be_empty=True).ledger.addresses
        return {address.spot.name for address in ledger.values()}

    def _scan(self) -> Scan:
        scan = Scan(self.corpora, self.known, may_be_empty=True)
        scan.finish()
        assert not scan.failures, scan.failures
        return scan

    def _token(self, scan: Scan, article_id: str) -> str:
        place = scan.places[article_id]
        content = place.path.read_bytes()
        return token_of(content if place.line is None else content.splitlines()[place.line - 1])

    def _title_near(self, path: str) -> str:
        """The title of an article that is here under such a name, if any."""
        stem = Path(path).name
        held = (content for name, content in self.files.items() if Path(name).name == stem)
        content = next(held, b"# Nothing of the kind\n")
        return content.decode().split("\n")[0].removeprefix("# ")

    def _was_added(self, edit: Edit, sent: dict[str, bytes]) -> None:
        written = {}
        for each in edit.accepted:
            content = each.path.read_bytes()
            assert content in sent.values()
            written[each.path] = content
            self.published[each.id] = token_of(content)
        assert len(written) == len(sent)
        self._apply(edit.steps, written, {each.id for each in edit.accepted})

    def _apply(self, steps: object, written: dict[Path, bytes], ids: set[str]) -> None:
        """Let the model know of the files that a command says it changed: those of the articles addressed alone."""
        for step in steps:  # type: ignore[attr-defined]
            assert step.article_id in ids
            name = step.path.relative_to(self.corpus).as_posix() if step.action != "hidden" else ""
            if step.action in ("written", "replaced"):
                assert (step.action == "replaced") == (name in self.files)
                self.files[name] = written[step.path]
            elif step.action == "deleted":
                del self.files[name]

    def _is_there(self, path: str) -> bool:
        return (self.corpus / path).exists()

    def _write(self, path: str, content: bytes) -> None:
        (self.corpus / path).parent.mkdir(parents=True, exist_ok=True)
        (self.corpus / path).write_bytes(content)
        self.files[path] = content

    def _unlink(self, path: str) -> None:
        (self.corpus / path).unlink()
        del self.files[path]

    def _on_disk(self) -> Iterator[tuple[str, bytes]]:
        for path in self.corpus.rglob("*"):
            if path.is_file() and path.name not in RECORD_FILES:
                yield path.relative_to(self.corpus).as_posix(), path.read_bytes()


TestTree = Tree.TestCase
TestTree.settings = settings(
    max_examples=at_most(25),
    stateful_step_count=25,
    deadline=None,
    phases=set(Phase) - {Phase.shrink},  # shrinking takes minutes, and tells little more
    suppress_health_check=list(HealthCheck),
)
TestTree = pytest.mark.hypothesis(TestTree)

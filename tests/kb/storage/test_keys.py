"""kb.storage.keys"""

from __future__ import annotations

import hmac
import json
import threading
from pathlib import Path

import pytest

from kb.schema.errors import InvalidRequest, NotFound
from kb.storage import keys as kb_keys
from kb.storage.keys import KeyRing, KeysDamaged, keys_file


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(keys_file(tmp_path / "index"))


def test_a_key_is_found_by_what_was_told_once_and_by_nothing_else(ring: KeyRing) -> None:
    key, presented = ring.add("editor", ("articles", "search"))
    other, _ = ring.add("monitor", ("admin",))
    assert ring.find(presented) == key
    assert key.scopes == ("search", "articles")
    assert [each.id for each in ring.all()] == [key.id, other.id]
    for wrong in (
        "",
        presented[:-1],
        presented + "A",
        presented.upper(),
        key.sha256,
        key.id,
        "\ud800",
    ):
        assert ring.find(wrong) is None


def test_nothing_that_could_be_presented_is_kept_and_nobody_else_may_read_it(ring: KeyRing) -> None:
    _, presented = ring.add("editor", ("articles",))
    content = ring.path.read_text()
    assert presented not in content
    assert presented.removeprefix("kb_") not in content
    assert ring.path.stat().st_mode & 0o077 == 0
    assert len(presented) == len("kb_") + 43  # 256 bits


def test_every_kept_key_is_compared_in_constant_time(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    presented = [ring.add(str(number), ("search",))[1] for number in range(5)]
    compared: list[tuple[object, object]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return hmac_compare(one, other)

    hmac_compare = hmac.compare_digest
    monkeypatch.setattr(kb_keys.hmac, "compare_digest", compare)
    for each in (presented[0], presented[4], "unknown"):
        compared.clear()
        ring.find(each)
        assert len(compared) == 5


def test_a_revoked_key_is_refused_at_once_also_by_who_has_the_file_read_already(
    ring: KeyRing,
) -> None:
    key, presented = ring.add("editor", ("articles",))
    running = KeyRing(ring.path)
    assert running.find(presented) == key
    ring.revoke(key.id)
    assert running.find(presented) is None
    assert running.all() == ()
    with pytest.raises(NotFound, match="kb keys list"):
        ring.revoke(key.id)


def test_keys_that_are_made_at_the_same_time_are_all_kept(ring: KeyRing) -> None:
    threads = [
        threading.Thread(target=lambda n=n: KeyRing(ring.path).add(f"n{n}", ("search",)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.name for key in ring.all()) == [f"n{n}" for n in range(8)]


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        *((name, ("search",)) for name in ("", " ", "a\nb", "a" * 101)),
        *(("a", scopes) for scopes in ((), ("root",))),
    ],
)
def test_a_bad_name_or_scope_is_refused(ring: KeyRing, name: str, scopes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest):
        ring.add(name, scopes)  # type: ignore[arg-type]
    assert not ring.path.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format": 2, "keys": []}', b'{"format": 1, "keys": [{}]}', b"\xff"]
    + [
        json.dumps(
            {"format": 1}
            | {"keys": [{"id": "a", "name": "a", "scopes": scopes, "created": "", "sha256": sha}]}
        ).encode()
        for scopes, sha in ((["root"], "0" * 64), (["admin"], "0"))
    ],
)
def test_a_damaged_file_lets_nobody_in_and_names_the_remedy(ring: KeyRing, content: bytes) -> None:
    _, presented = ring.add("editor", ("articles",))
    replacement = ring.path.with_name("other")
    replacement.write_bytes(content)
    replacement.replace(ring.path)
    with pytest.raises(KeysDamaged, match="kb keys add"):
        ring.find(presented)

"""What is stored is unreadable without the key, and a wrong key says so."""

import base64
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from nhirx.errors import ComponentMissing, KeyWrong, StoreReadOnly
from nhirx.outbox import Outbox, keys
from nhirx.outbox.keys import KeyRing
from nhirx.settings import OutboxSettings


def test_sealing_and_opening(ring: KeyRing) -> None:
    sealed = ring.seal("王小明 A123456789", "queue.record")

    assert "王小明 A123456789" == ring.open(sealed, "queue.record")
    assert b"A123456789" not in sealed
    assert sealed != ring.seal("王小明 A123456789", "queue.record"), "a nonce is never used twice"


def test_a_value_moved_to_another_column_does_not_open(ring: KeyRing) -> None:
    with pytest.raises(KeyWrong):
        ring.open(ring.seal("{}", "queue.record"), "queue.result")


@pytest.mark.parametrize("place", [0, 3, 8, 20, -1])
def test_a_changed_byte_does_not_open(ring: KeyRing, place: int) -> None:
    sealed = bytearray(ring.seal("{}", "queue.record"))
    sealed[place] ^= 1

    with pytest.raises(KeyWrong):
        ring.open(bytes(sealed), "queue.record")


def test_after_rotation_old_values_open_and_look_ups_agree(ring: KeyRing) -> None:
    newer = ring.rotated()

    assert ("old", "new") == (newer.open(ring.seal("old", "p"), "p"), newer.open(newer.seal("new", "p"), "p"))
    assert ring.hash("A123456789", "person") == newer.hash("A123456789", "person")
    with pytest.raises(KeyWrong):
        newer.without_old().open(ring.seal("old", "p"), "p")


def test_a_ring_survives_being_written_down(ring: KeyRing) -> None:
    assert ring.rotated().format() != ring.format()
    assert ring == KeyRing.parse(ring.format())


def test_a_bare_key_is_a_ring() -> None:
    text = base64.b64encode(bytes(range(32))).decode()

    assert "x" == KeyRing.parse(text).open(KeyRing.parse(text + "\n").seal("x", "p"), "p")


@pytest.mark.parametrize(
    "text", ["", "short", "{}", "[]", '{"current": 1, "keys": {}, "lookup": ""}', base64.b64encode(b"x" * 31).decode()]
)
def test_what_is_no_ring_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyWrong) as caught:
        KeyRing.parse(text)
    assert not text or text not in str(caught.value.as_json())


def test_no_key_in_its_repr(ring: KeyRing) -> None:
    tree = json.loads(ring.format())

    assert not any(secret in repr(ring) for secret in [*tree["keys"].values(), tree["lookup"], repr(ring.lookup)])


def test_the_key_file_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    settings = OutboxSettings(key_file=tmp_path / "deep" / "outbox.key")
    first = keys.load(settings)

    assert first == keys.load(settings)
    assert os.name == "nt" or stat.S_IMODE((tmp_path / "deep" / "outbox.key").stat().st_mode) == 0o600
    assert ["outbox.key"] == [path.name for path in (tmp_path / "deep").iterdir()]


def test_a_key_file_that_was_copied_back_open_to_all_is_closed(tmp_path: Path) -> None:
    settings = OutboxSettings(key_file=tmp_path / "outbox.key")
    first = keys.load(settings)
    (tmp_path / "outbox.key").chmod(0o644)

    assert first == keys.load(settings)
    assert os.name == "nt" or stat.S_IMODE((tmp_path / "outbox.key").stat().st_mode) == 0o600


def test_programs_that_start_at_once_agree_on_one_ring(tmp_path: Path) -> None:
    settings = OutboxSettings(key_file=tmp_path / "outbox.key")
    found: list[KeyRing] = []
    threads = [threading.Thread(target=lambda: found.append(keys.load(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [found[0]] * 8 == found


def test_a_key_file_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises((StoreReadOnly, KeyWrong)):
        keys.load(OutboxSettings(key_file=tmp_path / "file" / "outbox.key"))


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, ring: KeyRing, tmp_path: Path) -> None:
    monkeypatch.setenv(keys.VARIABLE, ring.format())

    assert ring == keys.load(OutboxSettings(key_file=tmp_path / "outbox.key"))
    with pytest.raises(KeyWrong):
        keys.save(ring.rotated(), OutboxSettings(key_file=tmp_path / "outbox.key"))


def test_the_environment_is_asked_for_and_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(keys.VARIABLE, raising=False)

    with pytest.raises(KeyWrong, match=keys.VARIABLE):
        keys.load(OutboxSettings(key="env"))


def test_a_saved_ring_replaces_the_file(tmp_path: Path) -> None:
    settings = OutboxSettings(key_file=tmp_path / "outbox.key")
    newer = keys.load(settings).rotated()
    keys.save(newer, settings)

    assert newer == keys.load(settings)


def test_the_keyring_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)

    with pytest.raises(ComponentMissing, match="keyring"):
        keys.load(OutboxSettings(key="keyring"))


def test_a_database_opened_with_another_key(database_url: str, ring: KeyRing, record) -> None:
    with Outbox(database_url, ring=ring) as outbox:
        outbox.queue.put(record())
    with pytest.raises(KeyWrong, match="another database"):
        Outbox(database_url, ring=KeyRing.new())
    with Outbox(database_url, ring=ring.rotated()) as outbox:
        assert record() == outbox.queue.item(1).record


def test_nothing_in_the_files_names_anybody(tmp_path: Path, ring: KeyRing, record, reading) -> None:
    """Every byte a whole dispensing leaves behind, database and log, is searched for what was put in."""
    with Outbox(f"sqlite:///{tmp_path / 'outbox.sqlite'}", ring=ring) as outbox:
        one = outbox.journal.open({"x": 1}, {"name": "王小明"}, {"patient": {"national_id": "A123456789"}})
        outbox.journal.numbered(one, reading())
        outbox.journal.written(one, ["5A" * 20])
        outbox.journal.filled_and_queued(one, record())
        left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert len(left) > 10_000

    secrets = ["A123456789", "0USE4FA11RP4J370WR4K", "王小明", "5A" * 20, "ab" * 128, "000012345678"]

    assert [] == [secret for secret in secrets for codec in ("utf-8", "utf-16-le") if secret.encode(codec) in left]

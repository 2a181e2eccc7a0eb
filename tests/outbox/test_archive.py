"""Backup, restore and inspection, from each kind of database to each."""

import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from nhirx.errors import FileDamaged, FileMissing, InputError, KeyWrong
from nhirx.model import CheckResult, Receipt
from nhirx.outbox import Outbox, archive
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.schema import queue


@pytest.fixture
def busy(outbox: Outbox, record, reading, visits, clock) -> Outbox:
    one = outbox.journal.open({"x": 1}, None, {"patient": {"national_id": "A123456789"}})
    outbox.journal.numbered(one, reading())
    outbox.journal.written(one, ["11" * 20])
    first = outbox.journal.filled_and_queued(one, record())
    outbox.queue.claim(1, timedelta(minutes=5))
    outbox.queue.sent([first], Receipt(opcode="OP1", received_at=clock()))
    outbox.queue.accepted(first, CheckResult(accepted=True))
    for visit in visits[1:]:
        outbox.queue.put(record(visit))
    return outbox


def test_a_backup_restored_into_an_empty_outbox_is_the_same_outbox(busy: Outbox, tmp_path: Path, ring, clock, record) -> None:
    rows = archive.back_up(busy, tmp_path / "backup.gz")
    with Outbox(f"sqlite:///{tmp_path / 'restored.sqlite'}", ring=ring, clock=clock) as other:
        restored = archive.restore(other, tmp_path / "backup.gz")

        assert rows == restored
        assert [item.model_dump() for item in busy.queue.find()] == [item.model_dump() for item in other.queue.find()]
        assert busy.journal.dispensing(1) == other.journal.dispensing(1)
        assert busy.verify_trail() == other.verify_trail()
        assert [] == archive.inspect(other)
        assert busy.queue.find()[0].id + 1 == other.queue.put(record("0USE4FA11RP4J370WR4P")), "IDs go on where they were"


def test_an_outbox_moves_from_sqlite_to_the_other_kind(tmp_path: Path, ring, record, outbox: Outbox) -> None:
    with Outbox(f"sqlite:///{tmp_path / 'old.sqlite'}", ring=ring) as old:
        old.queue.put(record())
        archive.back_up(old, tmp_path / "backup.gz")
    archive.restore(outbox, tmp_path / "backup.gz")
    outbox.queue.put(record("0USE4FA11RP4J370WR4P"))

    assert [2, 1] == [item.id for item in outbox.queue.find()]
    assert 2 == outbox.verify_trail()


def test_a_backup_names_nobody(busy: Outbox, tmp_path: Path) -> None:
    archive.back_up(busy, tmp_path / "backup.gz")
    content = gzip.decompress((tmp_path / "backup.gz").read_bytes())

    assert len(content) > 3000
    assert [] == [secret for secret in (b"A123456789", b"0USE4FA11RP4J370WR4K", b"ab" * 128) if secret in content]


def test_a_backup_replaces_nothing(busy: Outbox, tmp_path: Path) -> None:
    (tmp_path / "backup.gz").write_bytes(b"older")

    with pytest.raises(InputError, match="exists"):
        archive.back_up(busy, tmp_path / "backup.gz")
    assert b"older" == (tmp_path / "backup.gz").read_bytes()


def test_only_an_empty_outbox_is_restored_into(busy: Outbox, tmp_path: Path) -> None:
    archive.back_up(busy, tmp_path / "backup.gz")

    with pytest.raises(InputError, match="empty"):
        archive.restore(busy, tmp_path / "backup.gz")
    assert [] == archive.inspect(busy)


@pytest.mark.parametrize("damage", ["cut", "foot cut", "changed", "not gzip", "other lines", "empty"])
def test_a_damaged_backup_is_refused_before_anything_is_written(busy: Outbox, tmp_path: Path, ring, damage: str) -> None:
    path = tmp_path / "backup.gz"
    archive.back_up(busy, path)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(
        {
            "cut": path.read_bytes()[:-200],
            "foot cut": gzip.compress(b"".join(lines[:-1])),
            "changed": gzip.compress(b"".join(lines).replace(b'"built"', b'"stuck"')),
            "not gzip": b"".join(lines),
            "other lines": gzip.compress(b'{"format": "x"}\n'),
            "empty": b"",
        }[damage]
    )
    with Outbox(f"sqlite:///{tmp_path / 'restored.sqlite'}", ring=ring) as other:
        with pytest.raises((FileDamaged, KeyWrong)):
            archive.restore(other, path)

        assert 0 == sum(other.counts().values())
        assert [] == archive.inspect(other)


def test_a_backup_of_another_key(busy: Outbox, tmp_path: Path) -> None:
    archive.back_up(busy, tmp_path / "backup.gz")
    with Outbox(f"sqlite:///{tmp_path / 'restored.sqlite'}", ring=KeyRing.new()) as other, pytest.raises(KeyWrong):
        archive.restore(other, tmp_path / "backup.gz")


def test_a_backup_that_is_not_there(outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        archive.restore(outbox, tmp_path / "nothing.gz")


def test_a_backup_shows_one_moment(busy: Outbox, tmp_path: Path, ring, record, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody works while the backup is being written; the backup still holds together."""
    plain = archive._lines

    def lines(connection):
        for number, line in enumerate(plain(connection)):
            if number == 3:
                busy.queue.put(record("0USE4FA11RP4J370WR4P"))
            yield line

    monkeypatch.setattr(archive, "_lines", lines)
    archive.back_up(busy, tmp_path / "backup.gz")
    with Outbox(f"sqlite:///{tmp_path / 'restored.sqlite'}", ring=ring) as other:
        archive.restore(other, tmp_path / "backup.gz")

        assert [] == archive.inspect(other)
        assert len(busy.queue.find()) - 1 == len(other.queue.find())


def test_an_untouched_outbox_has_nothing_wrong(busy: Outbox) -> None:
    assert [] == archive.inspect(busy)


def test_a_changed_value_is_found(busy: Outbox) -> None:
    with busy.database.writing() as connection:
        connection.execute(update(queue).where(queue.c.id == 2).values(record_sealed=b"\x01" + b"\0" * 60))

    assert ["無法解密 / does not open: queue 2 record_sealed"] == archive.inspect(busy)

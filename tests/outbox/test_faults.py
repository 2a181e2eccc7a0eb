"""Real failures of a database: full, read-only, broken, foreign, gone."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from nhirx.errors import DiskFull, SettingInvalid, StoreDamaged, StoreError, StoreReadOnly
from nhirx.outbox import Outbox, archive
from nhirx.outbox.faults import named


def _fill(outbox: Outbox, record) -> int:
    """Put records until the database refuses; how many it took."""
    for number in range(10_000):
        try:
            outbox.queue.put(record(f"0USE4FA11RP4J37{number:05d}", M35="J" * 900))
        except DiskFull:
            return number
    raise AssertionError("it never filled")


def test_a_full_file_refuses_and_keeps_what_it_has(tmp_path: Path, record, clock, ring) -> None:
    """SQLite is given a limit of pages, so it fails as it does on a full disk; with room again it goes on."""
    url = f"sqlite:///{tmp_path / 'outbox.sqlite'}"
    with Outbox(url, clock=clock, ring=ring) as outbox:
        with outbox.database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        from sqlalchemy import event

        listener = lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages + 40}")  # noqa: E731
        event.listen(outbox.database.engine, "connect", listener)
        outbox.database.let_go()
        taken = _fill(outbox, record)
        kept = outbox.counts()["built"]
        event.remove(outbox.database.engine, "connect", listener)
        outbox.database.let_go()
        outbox.queue.put(record())

        assert (taken, taken + 1) == (kept, outbox.counts()["built"])
        assert taken > 0
        assert outbox.verify_trail() == taken + 1


def test_a_disk_that_refuses_bytes_is_called_full(tmp_path: Path) -> None:
    """A child whose files may not grow beyond 600 kB: the operating system itself refuses the write."""
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from nhirx.errors import DiskFull
from nhirx.model import UploadRecord
from nhirx.outbox import Outbox, archive
outbox = Outbox("sqlite:///{tmp_path / "outbox.sqlite"}")
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
taken = 0
try:
    while taken < 10_000:
        outbox.queue.put(UploadRecord(fields={{"M15": f"0USE4FA11RP4J37{{taken:05d}}", "M35": "J" * 900}}))
        taken += 1
except DiskFull as error:
    print(taken, outbox.counts()["built"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"NHIRX_DATA": str(tmp_path)}
    )
    taken, kept = map(int, done.stdout.split())

    assert taken == kept
    assert taken > 0


def test_a_read_only_file(tmp_path: Path, record, ring) -> None:
    """The file is opened read-only, so it refuses for the superuser as well."""
    path = tmp_path / "outbox.sqlite"
    Outbox(f"sqlite:///{path}", ring=ring).close()
    with Outbox(f"sqlite:///file:{path}?mode=ro&uri=true", ring=ring) as outbox, pytest.raises(StoreReadOnly, match="outbox"):
        outbox.queue.put(record())


def test_a_folder_that_cannot_be_made(tmp_path: Path, ring) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreReadOnly):
        Outbox(f"sqlite:///{tmp_path / 'file' / 'outbox.sqlite'}", ring=ring)


def test_a_file_that_is_no_database(tmp_path: Path, ring) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"not a database at all" * 1000)

    with pytest.raises(StoreDamaged, match="NOTADB"):
        Outbox(f"sqlite:///{path}", ring=ring)
    assert path.read_bytes().startswith(b"not a database"), "what is broken is kept for whoever can save it"


def test_broken_pages(tmp_path: Path, record, ring) -> None:
    path = tmp_path / "outbox.sqlite"
    with Outbox(f"sqlite:///{path}", ring=ring) as outbox:
        for number in range(50):
            outbox.queue.put(record(f"0USE4FA11RP4J37{number:05d}", M35="J" * 900))
        with outbox.database.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xa5" * (len(content) - 4096 * 3)
    path.write_bytes(content)

    with pytest.raises(StoreDamaged), Outbox(f"sqlite:///{path}", ring=ring) as outbox:
        outbox.queue.find()


def test_one_broken_page_never_becomes_another_record(tmp_path: Path, record, ring) -> None:
    """Each page in turn is filled with rubbish: what is still handed out is what was put in, and the inspection sees the damage."""
    path, copy = tmp_path / "outbox.sqlite", tmp_path / "broken" / "outbox.sqlite"
    with Outbox(f"sqlite:///{path}", ring=ring) as outbox:
        put = {outbox.queue.put(record(f"0USE4FA11RP4J37{number:05d}")): number for number in range(12)}
        outbox.database.compact()
    whole = path.read_bytes()
    copy.parent.mkdir()
    seen = []
    for page in range(1, len(whole) // 4096):
        copy.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        try:
            with Outbox(f"sqlite:///{copy}", ring=ring) as outbox:
                found = {item.id: item.record.visit_id for item in outbox.queue.find()}
                problems = archive.inspect(outbox)
        except StoreError as error:
            seen.append(error.code)
        else:
            seen.append("inspected" if problems else "unseen")

            assert found == {item: f"0USE4FA11RP4J37{put[item]:05d}" for item in found}
        for left in copy.parent.iterdir():
            left.unlink()

    assert len(seen) > 15
    assert {"store-damaged", "inspected"} >= set(seen), seen


def test_a_server_that_is_not_there(tmp_path: Path, ring) -> None:
    with pytest.raises(StoreError, match="no answer") as caught:
        Outbox(f"postgresql://nhirx:secret@/nhirx?host={tmp_path}", ring=ring)
    assert "secret" not in str(caught.value.as_json())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x", "no url", ""])
def test_a_url_that_cannot_be_used(url: str, ring) -> None:
    if not url:
        with Outbox(url, ring=ring) as outbox:
            assert "outbox.sqlite" == outbox.path.name
        return
    with pytest.raises(SettingInvalid, match=r"outbox\.url"):
        Outbox(url, ring=ring)


def test_a_commit_is_forced_to_the_disk_and_keys_are_enforced(tmp_path: Path, ring) -> None:
    with Outbox(f"sqlite:///{tmp_path / 'outbox.sqlite'}", ring=ring) as outbox, outbox.database.reading() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }

    assert {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1} == values


def test_no_parameters_in_the_words_of_a_failure(tmp_path: Path) -> None:
    """The driver's message may quote what was being written; ours must not."""
    with pytest.raises(StoreError) as caught, named("x"):
        raise sqlite3.IntegrityError("UNIQUE constraint failed: A123456789")
    assert "A123456789" not in str(caught.value.as_json())

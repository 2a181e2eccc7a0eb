"""Which files there are: order, patterns, archives, and everything that is left alone with its reason."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from nhirx.batch import archives
from nhirx.batch.source import entries
from nhirx.errors import FileMissing


def listed(*sources: Path | str, **options: Path) -> list[tuple[str, str | None]]:
    """(path below the first source, what becomes of it)."""
    return [
        (os.path.relpath(entry.path, sources[0]), entry.skipped or (entry.error or {}).get("code"))
        for entry in entries(map(str, sources), **options)
    ]


def names(*sources: Path | str) -> list[str]:
    return [Path(entry.path).name for entry in entries(map(str, sources))]


def test_folder_is_read_in_the_same_order_everywhere(pile, tmp_path):
    """By name, folder after folder; the file system's own order does not matter."""
    folder = pile(5)

    assert [
        ("第0箱/scan 000.png", None),
        ("第0箱/scan 003.png", None),
        ("第1箱/scan 001.png", None),
        ("第1箱/scan 004.png", None),
        ("第2箱/scan 002.png", None),
    ] == listed(folder)


def test_every_file_is_an_entry(tmp_path, draw):
    """Also those that are no pages: the numbers at the end have to add up."""
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b").write_bytes(draw.png(draw.page(None)))
    (tmp_path / "c.txt").write_text("notes")
    (tmp_path / ".d.png").write_bytes(b"x")
    (tmp_path / ".e").mkdir()
    (tmp_path / ".e" / "f.png").write_bytes(b"x")
    (tmp_path / "g.png").symlink_to(tmp_path / "nowhere")

    assert [
        (".d.png", "hidden"),
        ("a.png", None),
        ("b", None),
        ("c.txt", "not-a-picture"),
        ("g.png", "not-a-file"),
        (".e/f.png", "hidden"),
    ] == listed(tmp_path)


def test_links_to_folders_are_not_followed(pile):
    """They may lead around in a circle; they are accounted for all the same."""
    folder = pile(1)
    (folder / "again").symlink_to(folder, target_is_directory=True)

    assert [("again", "not-a-file"), ("第0箱/scan 000.png", None)] == listed(folder)


def test_office_documents_are_no_archives_of_pages(tmp_path, zipped):
    """They are zip files inside, and the pictures in them are logos. An archive without a suffix is one."""
    data = zipped("x.zip", {"media/image1.png": b"x"}).read_bytes()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "letter.docx").write_bytes(data)
    (folder / "scans").write_bytes(data)

    assert [("letter.docx", "not-a-picture"), ("scans!/media/image1.png", None)] == listed(folder)


def test_the_folder_of_the_results_is_not_a_source(pile):
    folder = pile(2)
    (folder / "out").mkdir()
    (folder / "out" / "old.png").write_bytes(b"x")

    assert ["scan 000.png", "scan 001.png"] == [
        Path(entry.path).name for entry in entries([str(folder)], leave_out=folder / "out")
    ]


def test_pattern_and_single_files(pile):
    """A pattern is expanded in order; a name with brackets that exists is a name."""
    folder = pile(4)
    odd = folder / "scan [1].png"
    odd.write_bytes(b"x")

    assert ["scan 000.png", "scan 001.png", "scan 002.png", "scan 003.png"] == sorted(names(f"{folder}/**/scan 0*.png"))
    assert ["scan [1].png"] == names(odd)


def test_file_named_by_the_caller_is_never_skipped(tmp_path):
    """A text file in a folder is left alone; a text file that was asked for is read, and found to be no picture."""
    (tmp_path / "notes.txt").write_text("notes")

    assert [(".", None)] == listed(tmp_path / "notes.txt")


@pytest.mark.parametrize("source", ["none.png", "none/*.png"])
def test_source_that_is_not_there(tmp_path, source):
    with pytest.raises(FileMissing):
        list(entries([str(tmp_path / source)]))


@pytest.mark.parametrize("encoding", ["cp950", "utf-8", None])
def test_archive_with_chinese_names(zipped, encoding):
    """Big5 of Windows in Taiwan, UTF-8 without its flag (macOS), and UTF-8 with it."""
    path = zipped("scans.zip", {"處方/許功蓋.png": b"x"}, encoding)

    assert ["scans.zip!/處方/許功蓋.png"] == [str(Path(entry.path).relative_to(path.parent)) for entry in entries([str(path)])]


def test_archive_in_an_archive(zipped):
    deepest = zipped("3.zip", {"c.png": b"x"}).read_bytes()
    middle = zipped("2.zip", {"b.png": b"x", "3.zip": deepest, "readme.txt": b"x"}).read_bytes()
    path = zipped("1.zip", {"a.png": b"x", "2.zip": middle, "__MACOSX/._a.png": b"x"})

    assert [
        ("a.png", (0,), None),
        ("2.zip!/b.png", (1, 0), None),
        ("2.zip!/3.zip!/c.png", (1, 1, 0), None),
        ("2.zip!/readme.txt", (1, 2), "not-a-picture"),
        ("__MACOSX/._a.png", (2,), "hidden"),
    ] == [(entry.path.split("1.zip!/")[1], entry.inside, entry.skipped) for entry in entries([str(path)])]


def test_archive_nested_too_deep_is_refused(zipped):
    data = b"x"
    name = "page.png"
    for depth in range(4):
        data, name = zipped(f"{depth}.zip", {name: data}).read_bytes(), f"{depth}.zip"
    path = zipped("top.zip", {name: data})

    assert ["archive-refused"] == [(entry.error or {}).get("code") for entry in entries([str(path)])]


def test_bomb_is_refused_by_what_it_states(zipped, monkeypatch):
    """A small archive that would become 300 times as large, once that is more than is free."""
    monkeypatch.setattr(archives, "FREE_BYTES", 1_000_000)
    path = zipped("bomb.zip", {"a.png": bytes(3_000_000)})

    assert path.stat().st_size < 10_000
    assert ["archive-refused"] == [(entry.error or {}).get("code") for entry in entries([str(path)])]


def test_member_never_gives_more_than_it_states(zipped, tmp_path):
    """The size in the directory is changed to ten bytes: that is all that comes out, and it is an error."""
    path = zipped("lie.zip", {"a.png": bytes(100_000)})
    data = path.read_bytes()
    path.write_bytes(data.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    target = tmp_path / "target"

    with pytest.raises(archives.ArchiveRefused):
        archives.unpack(path, 0, target, "lie.zip")
    assert target.stat().st_size <= 10


def test_broken_archives_are_entries_with_an_error(tmp_path, zipped):
    """Cut off, not an archive at all, empty, with a password: one entry each."""
    whole = zipped("whole.zip", {"a.png": bytes(1000)}).read_bytes()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "1-cut.zip").write_bytes(whole[: len(whole) // 2])
    (folder / "2-text.zip").write_text("no archive")
    (folder / "3-nothing.zip").write_bytes(b"")
    with zipfile.ZipFile(folder / "4-empty.zip", "w"):
        pass
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.rfind(b"PK\x01\x02") + 8] |= 1
    (folder / "5-locked.zip").write_bytes(locked)

    assert [
        ("1-cut.zip", "archive-refused"),
        ("2-text.zip", "archive-refused"),
        ("3-nothing.zip", "archive-refused"),
        ("4-empty.zip", "empty-archive"),
        ("5-locked.zip!/a.png", "archive-refused"),
    ] == listed(folder)


def test_name_with_bytes_that_are_no_text(tmp_path, draw):
    """A name of a foreign code page is an entry like any other."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb3\\.png")).write_bytes(draw.png(draw.page(None)))

    (entry,) = entries([str(tmp_path)])

    assert b"\xb3\\.png" == os.fsencode(entry.path).split(b"/")[-1]
    assert entry == type(entry).from_json(entry.as_json())


def test_members_are_counted_before_they_are_listed(monkeypatch, tmp_path):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}.png", b"x")
    (tmp_path / "many.zip").write_bytes(data.getvalue())

    assert [("many.zip", "archive-refused")] == listed(tmp_path)


def test_folder_that_changes_while_it_is_listed(tmp_path):
    """Taken away, renamed, added, replaced by a folder, a whole folder gone: each file that was met is one entry, and the list ends."""
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        for name in ("1.png", "2.png", "3.png", "4.png"):
            (tmp_path / folder / name).write_bytes(b"x")
    found = entries([str(tmp_path)])
    met = [next(found)]
    (tmp_path / "a" / "2.png").unlink()
    (tmp_path / "a" / "3.png").rename(tmp_path / "a" / "9.png")
    (tmp_path / "a" / "4.png").unlink()
    (tmp_path / "a" / "4.png").mkdir()
    (tmp_path / "b" / "5.png").write_bytes(b"new")
    for name in ("1.png", "2.png", "3.png", "4.png"):
        (tmp_path / "c" / name).unlink()
    (tmp_path / "c").rmdir()
    met += found

    told = [
        (Path(entry.path).relative_to(tmp_path).as_posix(), entry.skipped or (entry.error["code"] if entry.error else None))
        for entry in met
    ]
    assert [
        ("a/1.png", None),
        ("a/2.png", "file-missing"),
        ("a/3.png", "file-missing"),
        ("a/4.png", "not-a-file"),
        *((f"b/{number}.png", None) for number in (1, 2, 3, 4, 5)),
        ("c", "file-unreadable"),
    ] == told
    assert list(range(len(met))) == [entry.number for entry in met]

"""Files as they really come: many kinds, many pages, wrong names, broken, empty, huge."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from nhirx_scanner import Scanner
from nhirx_scanner.files import list_files
from PIL import Image


def _codes(path: str) -> list[str]:
    return [scan.error.code if scan.error else scan.status for scan in Scanner().scan_file(path)]


def _saved(picture: Image.Image, **how: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **how)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "how",
    [
        {"format": "PNG"},
        {"format": "JPEG", "quality": 85},
        {"format": "BMP"},
        {"format": "WEBP", "lossless": True},
        {"format": "GIF"},
        {"format": "TIFF", "compression": "tiff_lzw"},
        {"format": "TIFF"},
        {"format": "PDF"},
    ],
)
@pytest.mark.parametrize("name", ["page.png", "page.txt", "page"])
def test_every_kind_is_known_by_its_content(draw, save, how, name):
    """The name of a file says nothing: a JPEG called .png, or nothing at all, is read as what it is."""
    text = draw.visit_id(20)
    path = save(name, _saved(Image.fromarray(draw.sheet((text, "QRCode", 40, 60, 4))), **how))
    scan = Scanner().scan(path)

    assert ("found", text, path, 1) == (scan.status, scan.visit_id, scan.path, scan.page)


def test_modes_that_go_wrong_elsewhere(draw, save):
    """Black on transparent, 16 bit, 12 bit in 16, CMYK, palette, 1 bit: all are the same page."""
    text = draw.visit_id(21)
    gray = draw.sheet((text, "QRCode", 40, 60, 4))
    page = Image.fromarray(gray)
    clear = Image.new("RGBA", page.size, (0, 0, 0, 0))
    clear.putalpha(Image.fromarray(255 - gray))
    files = {
        "alpha.png": _saved(clear, format="PNG"),
        "alpha.webp": _saved(clear, format="WEBP", lossless=True),
        "alpha.tif": _saved(clear, format="TIFF"),
        "16.png": draw.png(gray.astype(np.uint16) * 257),
        "12.png": draw.png(gray.astype(np.uint16) * 16),
        "16.tif": draw.png(gray.astype(np.uint16) * 257, ".tif"),
        "cmyk.jpg": _saved(page.convert("RGB").convert("CMYK"), format="JPEG"),
        "cmyk.tif": _saved(page.convert("RGB").convert("CMYK"), format="TIFF"),
        "palette.png": _saved(page.convert("P"), format="PNG"),
        "one.png": _saved(page.convert("1"), format="PNG"),
        "fax.tif": _saved(page.convert("1"), format="TIFF", compression="group4"),
    }

    assert dict.fromkeys(files, text) == {name: Scanner().scan(save(name, data)).visit_id for name, data in files.items()}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_tag_is_obeyed(draw, save, orientation):
    """A phone writes how it was held; mirrored forms too, which no 1-D decoder would notice but a QR reader must."""
    text = draw.visit_id(22)
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    page = Image.fromarray(draw.sheet((text, "QRCode", 40, 60, 4)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = page.transpose(undo[orientation]) if orientation in undo else page
    path = save("phone.jpg", _saved(stored, format="JPEG", exif=exif))
    scan = Scanner().scan(path)

    assert text == scan.visit_id
    assert (40, 60) < scan.codes[0].polygon[0] < (140, 160)


def test_many_pages_in_order(draw, save):
    """A TIFF and a PDF of three pages give three scans, numbered from 1."""
    ids = [draw.visit_id(seed) for seed in (30, 31, 32)]
    first, *rest = [Image.fromarray(draw.sheet((text, "Code128", 20, 60, 2))) for text in ids]
    for name, how in (("s.tif", {"format": "TIFF", "compression": "group4"}), ("s.pdf", {"format": "PDF"})):
        pages = [page.convert("1") if name == "s.tif" else page for page in (first, *rest)]
        path = save(name, _saved(pages[0], save_all=True, append_images=pages[1:], **how))

        assert [(1, ids[0]), (2, ids[1]), (3, ids[2])] == [(scan.page, scan.visit_id) for scan in Scanner().scan_file(path)]


def test_a_pdf_that_was_drawn_and_not_scanned(draw, save):
    """Bars as vector rectangles: no picture inside, so the page is rendered."""
    import zxingcpp

    text = draw.visit_id(33)
    bars = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image(scale=1))[0]
    drawn = "\n".join(f"{40 + index * 1.2:.1f} 600 1.2 60 re f" for index, value in enumerate(bars) if value == 0)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(drawn), drawn.encode()),
    ]
    body = b"%PDF-1.4\n" + b"".join(b"%d 0 obj%s endobj\n" % (n, data) for n, data in enumerate(objects, 1))
    path = save("drawn.pdf", body + b"trailer<</Root 1 0 R/Size 5>>\n%%EOF")

    assert text == Scanner().scan(path).visit_id


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp", ".gif", ".pdf"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_a_cut_file_is_damaged_and_no_crash(draw, save, suffix, share):
    """Every kind of file cut anywhere is an error with words, never a page said to hold nothing."""
    noise = np.random.default_rng(3).integers(0, 256, (300, 300), dtype=np.uint8)
    kind = {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:].upper())
    data = _saved(Image.fromarray(noise), format=kind)
    scans = Scanner().scan_file(save("cut" + suffix, data[: max(1, int(len(data) * share))]))

    assert ["error"] == [scan.status for scan in scans]
    assert all(scan.error.zh and scan.error.en for scan in scans)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file-empty"),
        (b"\0", "file-kind-unknown"),
        (b"hello, this is text", "file-kind-unknown"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file-kind-unknown"),
        (b"\x89PNG\r\n\x1a\n", "file-damaged"),
        (b"\xff\xd8\xff\xe0", "file-damaged"),
        (b"GIF89a", "file-damaged"),
        (b"II*\0\x08\0\0\0", "file-damaged"),
        (b"%PDF-1.7\nnothing", "file-damaged"),
        (b"BM\0\0\0\0\0\0\0\0", "file-damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "file-damaged"),
    ],
)
def test_what_is_no_picture_has_its_error(save, data, code):
    """Each way of being unreadable has its own code."""
    assert [code] == _codes(save("x.png", data))


def _png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "code"), [((60_000, 60_000), "file-too-large"), ((2**31 - 1, 1), "file-too-large"), ((0, 5), "file-damaged")]
)
def test_a_bomb_is_refused_by_its_header(save, size, code):
    """A file that would unpack to gigapixels is refused before anything is unpacked."""
    assert [code] == _codes(save("bomb.png", _png_header(*size)))


def test_a_bomb_of_another_kind(save):
    """The same for a format that Pillow opens."""
    gif = b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\0\0\0\0\0\xff\xff\xff," + struct.pack("<HHHH", 0, 0, 65535, 65535)

    assert ["file-too-large"] == _codes(save("bomb.gif", gif + b"\0\x02\x02D\x01\0;"))


def test_a_large_page_is_read(draw, save):
    """A4 at 600 dpi (35 megapixels): reduced, read, and the corners are those of the reduced picture at most."""
    text = draw.visit_id(34)
    page = np.full((7016, 4960), 255, np.uint8)
    code = draw.barcode(text, "QRCode", 6)
    page[500 : 500 + code.shape[0], 500 : 500 + code.shape[1]] = code

    assert text == Scanner().scan(save("large.png", draw.png(page))).visit_id


def test_an_animation_is_its_first_frame(draw, save):
    """One page, however long it runs."""
    text = draw.visit_id(35)
    first = Image.fromarray(draw.sheet((text, "QRCode", 40, 60, 4)))
    blank = Image.new("L", first.size, 255)
    for kind in ("GIF", "PNG", "WEBP"):
        how = {"lossless": True} if kind == "WEBP" else {}
        data = _saved(first, format=kind, save_all=True, append_images=[blank] * 3, duration=50, **how)

        assert [("found", text)] == [(s.status, s.visit_id) for s in Scanner().scan_file(save(f"a.{kind}", data))]


def test_a_broken_page_does_not_hide_the_others(draw, save):
    """In a TIFF whose second page is damaged the first one is still read."""
    text = draw.visit_id(36)
    page = Image.fromarray(draw.sheet((text, "QRCode", 40, 60, 4)))
    data = _saved(page, format="TIFF", save_all=True, append_images=[page])
    statuses = [scan.status for scan in Scanner().scan_file(save("half.tif", data[: int(len(data) * 0.8)]))]

    assert "error" in statuses


def test_folders_are_walked_in_order(save, tmp_path):
    """Sorted by name within each folder, hidden files and foreign files left out, odd names kept when the content is a picture."""
    for name in ("b/2.png", "b/1.png", "a.png", "notes.txt", ".hidden.png", "c/.git/x.png"):
        save(name, b"data")
    save("scan.dat", b"\xff\xd8\xff\xe0data")

    assert ["a.png", "scan.dat", "b/1.png", "b/2.png"] == [str(p.relative_to(tmp_path).as_posix()) for p in list_files(tmp_path)]


def test_the_array_of_opencv_is_the_same_page(draw, save):
    """What cv2.imread gives, and the file itself, answer alike."""
    path = save("x.png", draw.png(draw.sheet((draw.visit_id(37), "Code39", 20, 60, 2))))

    assert Scanner().scan(path).visit_id == Scanner().scan(cv2.imread(path)).visit_id

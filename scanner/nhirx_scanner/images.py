"""Bytes or arrays in, one grey picture out: (height, width) uint8, upright as its orientation tag says, paper white.

JPEG and plain PNG go straight through OpenCV; what needs care (alpha, 16 bit, palettes with transparency, tags in PNG) and the
other formats take the longer way. Nothing is decoded before its size is known, so a small file cannot ask for all the memory.
"""

from __future__ import annotations

import struct
import warnings
from typing import TYPE_CHECKING, Any

from nhirx.errors import FileDamaged, FileEmpty, FileKindUnknown, FileTooLarge, InvalidValue

if TYPE_CHECKING:
    from PIL import Image as PillowImage

    from nhirx_scanner.engines import Gray

MAX_PIXELS = 200_000_000
"""More than an A3 page at 1200 dpi. Larger pictures are refused."""
WORK_PIXELS = 24_000_000
"""Pictures above this are halved before they are looked at: A4 at 600 dpi still has 3 pixels per module then."""
MAX_BYTES = 1_000_000_000

KINDS = ("jpeg", "png", "tiff", "bmp", "webp", "gif", "pdf")
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".bmp", ".dib", ".webp", ".gif", ".pdf"})


def kind_of(head: bytes) -> str | None:
    """One of ``KINDS`` by the first bytes (32 are enough), whatever the file is called; None for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "bmp"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    # The standard lets up to a kilobyte of anything stand before the marker; in practice it is a line or a byte-order mark.
    return "pdf" if b"%PDF-" in head else None


def decode(data: bytes, path: str) -> Gray:
    """The (first) picture in ``data``. Raises a ``FileUnreadable`` that says what is wrong; never anything else."""
    if not data:
        raise FileEmpty(path=path, problem="0 bytes")
    kind = kind_of(data[:1024])
    if kind == "jpeg":
        return _jpeg(data, path)
    if kind == "png":
        return _png(data, path)
    if kind is None or kind == "pdf":
        raise FileKindUnknown(path=path, problem="format")
    return _pillow(data, path)


def from_array(picture: Any) -> Gray:
    """A grey picture of a numpy array: grey, BGR or BGRA; 8 or 16 bit, float or bool. Raises ``InvalidValue`` otherwise."""
    import cv2
    import numpy as np

    array = np.asarray(picture)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if channels not in (1, 3, 4) or array.size == 0 or array.dtype.kind not in "uifb":
        raise _not_a_picture(f"shape {array.shape}, {array.dtype}")
    if array.shape[0] * array.shape[1] > MAX_PIXELS or max(array.shape[:2]) > 2**20:
        raise _not_a_picture(f"{array.shape[1]}×{array.shape[0]} pixels")
    if array.dtype != np.uint8:
        array = _eight_bit(array)
    if channels == 4:
        array = _on_white(array)
    elif channels == 3:
        array = cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_BGR2GRAY)
    return reduce(np.ascontiguousarray(array))


def decode_without_colour(data: bytes, path: str) -> Gray | None:
    """The picture of ``decode`` without its coloured ink (``colours``); None where it has none, and for what is too large."""
    import cv2
    import numpy as np

    kind = kind_of(data[:1024])
    if kind == "jpeg":
        width, height = jpeg_size(data) or (0, 0)
        if not 0 < width * height <= WORK_PIXELS:
            return None
        return array_without_colour(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    if kind in (None, "pdf"):
        return None
    import io

    with open_pillow(io.BytesIO(data), path) as picture:
        return pillow_without_colour(picture)


def pillow_without_colour(picture: PillowImage.Image) -> Gray | None:
    """As ``decode_without_colour``, of the current frame of ``picture``."""
    import numpy as np
    from PIL import ImageOps

    if picture.mode not in ("RGB", "RGBA", "P", "CMYK", "YCbCr") or picture.width * picture.height > WORK_PIXELS:
        return None
    upright = ImageOps.exif_transpose(picture)
    if upright.mode == "RGBA" or "transparency" in upright.info:
        upright = _pillow_on_white(upright)
    return array_without_colour(np.asarray(upright.convert("RGB"))[:, :, ::-1])


def array_without_colour(picture: Any) -> Gray | None:
    """As ``decode_without_colour``, of an array; None for all but BGR of 8 bits."""
    import numpy as np

    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3):
        return None
    if picture.shape[0] * picture.shape[1] > WORK_PIXELS:
        return None
    from nhirx_scanner import colours

    return colours.without(picture)


def reduce(gray: Gray) -> Gray:
    """``gray``, or a whole-number reduction of it that is at most ``WORK_PIXELS`` large."""
    import math

    import cv2

    height, width = gray.shape
    factor = math.ceil(math.sqrt(height * width / WORK_PIXELS))
    if factor <= 1:
        return gray
    size = (max(1, width // factor), max(1, height // factor))
    small: Gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return small


def _jpeg(data: bytes, path: str) -> Gray:
    import cv2
    import numpy as np

    width, height = jpeg_size(data) or (0, 0)
    check_size(width, height, path)
    # A cut JPEG decodes to half a picture with grey below: its end marker is the only sign.
    if data.rfind(b"\xff\xd9") <= data.rfind(b"\xff\xda"):
        raise FileDamaged(path=path, problem="truncated")
    flag = cv2.IMREAD_GRAYSCALE if width * height <= 4 * WORK_PIXELS else cv2.IMREAD_REDUCED_GRAYSCALE_2
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    return _pillow(data, path) if gray is None else reduce(gray)


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) from the frame header, None when there is none."""
    place = 2
    while place + 9 < len(data):
        if data[place] != 0xFF:
            place += 1
            continue
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        elif marker in (0x01, *range(0xD0, 0xD9)):
            place += 2
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None


def _png(data: bytes, path: str) -> Gray:
    import cv2
    import numpy as np

    if len(data) < 33:
        raise FileDamaged(path=path, problem="truncated")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    check_size(width, height, path)
    if b"IEND" not in data[-1024:]:
        raise FileDamaged(path=path, problem="truncated")
    until_pixels = data[: data.find(b"IDAT")]
    if depth == 16 or b"eXIf" in data[-4096:] or b"eXIf" in until_pixels or b"acTL" in until_pixels:
        return _pillow(data, path)
    array = np.frombuffer(data, np.uint8)
    if colour in (4, 6) or b"tRNS" in until_pixels:
        picture = cv2.imdecode(array, cv2.IMREAD_UNCHANGED)
        return _pillow(data, path) if picture is None else from_array(picture)
    gray = cv2.imdecode(array, cv2.IMREAD_GRAYSCALE)
    return _pillow(data, path) if gray is None else reduce(gray)


def _pillow(data: bytes, path: str) -> Gray:
    import io

    with open_pillow(io.BytesIO(data), path) as picture:
        return from_pillow(picture, path)


def open_pillow(source: Any, path: str) -> PillowImage.Image:
    """``source`` (file or path) as a Pillow image of a size that may be decoded. Raises a ``FileUnreadable``."""
    from PIL import Image, UnidentifiedImageError

    # Pillow refuses from 179 megapixels on; its limit is a global of the module and may only ever be raised here.
    if Image.MAX_IMAGE_PIXELS is not None and Image.MAX_IMAGE_PIXELS < MAX_PIXELS:
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(source)
    except UnidentifiedImageError:
        raise FileDamaged(path=path, problem="header") from None
    except Image.DecompressionBombError:
        raise FileTooLarge(path=path, problem=f"> {MAX_PIXELS // 1_000_000} MP") from None
    except Exception as error:  # the plugins of Pillow raise what they like on broken headers
        raise FileDamaged(path=path, problem=type(error).__name__) from None
    check_size(*picture.size, path)
    return picture


def from_pillow(picture: PillowImage.Image, path: str) -> Gray:
    """The grey picture of the current frame of ``picture``. Raises ``FileDamaged``."""
    import numpy as np
    from PIL import ImageOps

    check_size(*picture.size, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if picture.width * picture.height > 4 * WORK_PIXELS:
                picture.draft("L", (picture.width // 2, picture.height // 2))
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            if upright.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
                return from_array(np.asarray(upright).astype(np.float32))
            if upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info:
                upright = _pillow_on_white(upright)
            return reduce(np.ascontiguousarray(np.asarray(upright.convert("L"))))
    except Exception as error:  # decoders of Pillow raise OSError, ValueError, struct.error, SyntaxError, EOFError …
        raise FileDamaged(path=path, problem=type(error).__name__) from None


def _pillow_on_white(picture: PillowImage.Image) -> PillowImage.Image:
    from PIL import Image

    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)


def check_size(width: int, height: int, path: str) -> None:
    """Raises ``FileTooLarge`` or ``FileDamaged`` for a picture that must not be decoded."""
    if width <= 0 or height <= 0:
        raise FileDamaged(path=path, problem="size")
    if width * height > MAX_PIXELS or max(width, height) > 2**20:
        raise FileTooLarge(path=path, problem=f"{width}×{height}")


def _eight_bit(array: Any) -> Any:
    """Stretch to 0…255 by what is there: 12-bit scanners write their values into 16 bits and look black otherwise."""
    import numpy as np

    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    values = np.nan_to_num(array.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    return ((values - low) * (255.0 / max(high - low, 1e-6))).astype(np.uint8)


def _on_white(array: Any) -> Any:
    import cv2
    import numpy as np

    gray = cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_BGRA2GRAY).astype(np.float32)
    alpha = array[:, :, 3].astype(np.float32) / 255.0
    return (gray * alpha + 255.0 * (1.0 - alpha)).astype(np.uint8)


def _not_a_picture(problem: str) -> InvalidValue:
    return InvalidValue(what="影像 (picture)", problem=problem)

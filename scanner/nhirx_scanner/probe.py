"""What this machine can read with: which decoders load, and whether a camera answers. For ``nhirx doctor``."""

from __future__ import annotations

from typing import Any


def decoders() -> dict[str, str | None]:
    """Version of each decoder, None for one that does not load. Optional ones are pyzbar and rapidocr."""
    return {"zxing-cpp": _zxing(), "opencv": _opencv(), "pyzbar": _pyzbar(), "rapidocr": _rapidocr()}


def camera(index: int = 0) -> dict[str, Any]:
    """Open camera ``index``, take one frame, let it go: ``{"opened", "frame", "width", "height"}``."""
    import cv2

    capture = cv2.VideoCapture(index)
    try:
        if not capture.isOpened():
            return {"opened": False, "frame": False, "width": 0, "height": 0}
        taken, frame = capture.read()
        height, width = frame.shape[:2] if taken else (0, 0)
        return {"opened": True, "frame": bool(taken), "width": int(width), "height": int(height)}
    finally:
        capture.release()


def _zxing() -> str | None:
    try:
        import zxingcpp
    except ImportError:
        return None
    return str(getattr(zxingcpp, "__version__", "?"))


def _opencv() -> str | None:
    try:
        import cv2
    except ImportError:
        return None
    return str(cv2.__version__)


def _pyzbar() -> str | None:
    try:
        from pyzbar import pyzbar, zbar_library  # noqa: F401 - importing is the test: it loads the shared library
    except ImportError:
        return None
    return "0.1"


def _rapidocr() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version("onnxruntime")
        return version("rapidocr")
    except PackageNotFoundError:
        return None

"""Frames from a camera, a file, an address or a pipe, through OpenCV's video backends.

A camera that is pulled out gives no frames until it is plugged in again; a file or stream ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from nhirx.errors import ComponentMissing

RESOLUTIONS = ((1920, 1080), (1280, 720), (640, 480))
"""Tried in this order. A Code 128 of twenty characters across half the picture needs 1280 pixels for 2½ per module."""
_RETRY = 1.0  # seconds between two attempts to open a camera that has gone


class Camera:
    """A source of frames: ``with Camera(0) as camera: for frame in camera: …``.

    ``source`` is a device number, a file, a URL, or ``-`` for a video on standard input. ``size`` asks a device for a resolution;
    None takes the best of ``RESOLUTIONS`` that it gives.
    """

    def __init__(self, source: int | str = 0, *, size: tuple[int, int] | None = None) -> None:
        self.source: int | str = "pipe:0" if source == "-" else source
        self.size = size
        self._capture: Any = None

    @property
    def is_device(self) -> bool:
        return isinstance(self.source, int) or str(self.source).startswith("/dev/")

    def open(self) -> bool:
        """Open the source; False when it cannot be opened now. Opening twice does no harm."""
        import cv2

        if self._capture is not None:
            return True
        backend = cv2.CAP_FFMPEG if self.source == "pipe:0" else cv2.CAP_ANY
        capture = cv2.VideoCapture(self.source, backend)
        if not capture.isOpened():
            capture.release()
            return False
        if self.is_device:
            self._choose_resolution(capture)
        self._capture = capture
        return True

    def _choose_resolution(self, capture: Any) -> None:
        import cv2

        # Compressed frames: uncompressed 1080p does not fit through USB 2 at a useful rate.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        for width, height in (self.size,) if self.size else RESOLUTIONS:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            if int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)) >= width:
                break
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not one from half a second ago

    def read(self) -> Any | None:
        """The next frame (height, width, 3) BGR, or None: the source has ended, or the camera is not there."""
        if not self.open():
            return None
        taken, frame = self._capture.read()
        if taken:
            return frame
        self.close()
        return None

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def __iter__(self) -> Iterator[Any]:
        """Frames until a file ends; from a device without end, waiting while it is unplugged.

        Raises ``ComponentMissing`` when the source cannot be opened at all.
        """
        if not self.open():
            raise ComponentMissing(
                component=f"camera {self.source}",
                how="請確認攝影機已連接且未被其他程式使用 / connect it; close other programs that use it",
            )
        while True:
            frame = self.read()
            if frame is not None:
                yield frame
            elif not self.is_device:
                return
            else:
                while not self.open():
                    time.sleep(_RETRY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def jpeg(frame: Any, quality: int = 80) -> bytes:
    """A frame (height, width) grey or (height, width, 3) BGR as a JPEG, for a page that shows what the camera sees."""
    import cv2

    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ComponentMissing(component="JPEG", how="pip install opencv-python-headless")
    return bytes(data)

"""One core for one page: the threads that the libraries would start for it are switched off.

OpenCV and numpy each bring their own OpenBLAS, and each of those starts a thread per core for every product of two small
matrices. The readers by model make thousands of such products a page; handing them out costs five times what they take, on a
busy machine ten times. And the last digit of a sum would depend on the number of cores. Whoever has many pages gives one to
each thread or process.
"""

from __future__ import annotations

from functools import cache


@cache
def one_core() -> None:
    """Switch them off for this process, once. The switch is the libraries' own and holds for all who use them in it."""
    import cv2
    import numpy as np  # noqa: F401 - its OpenBLAS must be there to be found
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(1)
    threadpool_limits(limits=1, user_api="blas")

"""Whether an error says that this machine's disk takes no more: then nothing is wrong with the page that was being read."""

from __future__ import annotations

import errno

_FULL = frozenset({errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})


def is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _FULL

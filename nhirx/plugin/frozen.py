"""What plugins are given: copies that cannot be changed.

The models of ``nhirx.model`` are frozen, but a dictionary inside one is not. Plugins get copies in which it is, so that an
attempt to write a field of the upload record is an error of the plugin and never reaches the host.
"""

from __future__ import annotations

from typing import Any, NoReturn

from nhirx.model import Value


class FrozenDict(dict[str, Any]):
    """A dictionary that refuses every change."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("values given to plugins are frozen")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def frozen(value: Any) -> Any:
    """A copy of ``value`` down to its last dictionary; values of other kinds are handed on as they are."""
    if isinstance(value, Value):
        inner = {name: (getattr(value, name), frozen(getattr(value, name))) for name in type(value).model_fields}
        # Only what differs: an update marks its members as set, and a plugin may ask which ones were.
        return value.model_copy(update={name: new for name, (old, new) in inner.items() if new is not old})
    if isinstance(value, dict):
        return FrozenDict({key: frozen(item) for key, item in value.items()})
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        items = tuple(frozen(item) for item in value)
        unchanged = isinstance(value, tuple) and all(new is old for new, old in zip(items, value, strict=True))
        return value if unchanged else items
    return value

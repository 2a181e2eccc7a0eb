"""Plugins (being built)."""

import pluggy

NAME = "nhirx"
hookimpl = pluggy.HookimplMarker(NAME)

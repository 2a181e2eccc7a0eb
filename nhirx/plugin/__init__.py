'''How to write a plugin for nhirx.

A plugin is an installed Python project. It imports two things at most, the marker and the values it wants to return::

    from nhirx import Finding, hookimpl

    @hookimpl
    def nhirx_check(plan, prescription):
        """Stop prescriptions of more than 30 days: this pharmacy asks the doctor first."""
        if prescription is not None and (prescription.days or 0) > 30:
            return Finding(code="long-supply", severity="block", zh="超過 30 日，請先聯絡醫師。", en="More than 30 days.")

and announces itself in its own ``pyproject.toml``, in the entry-point group ``nhirx``::

    [project.entry-points.nhirx]
    house-rules = "my_package"

The word on the left is the plugin's name: it stands in every message about the plugin, in ``nhirx plugins``, and names its
table in the settings file::

    [plugins.options.house-rules]
    longest = 30

What stands on the right is a module with hook functions, an object with hook methods, or a class, which is then made once
without arguments. Take the options in ``nhirx_configure(options)``, which is called before any other hook.

Take only the arguments you use, by name. What you are given is frozen. What you return is checked.

Four kinds of hooks, and what happens when yours fails (raises, ends the process with ``sys.exit``, answers nonsense, or
does not answer within the time limit):

ask
    The first answer that is not None wins. A failure stops the step; nothing is sent.
collect
    Every answer counts. A failure counts as a blocking finding that names your plugin.
tell
    You receive news. A failure is logged; all other plugins are told all the same.
register
    You offer parts when nhirx starts. A failure refuses your plugin, with the reason in ``nhirx plugins``.

All hooks of a plugin run on one thread of its own, one after the other, so a database connection may be kept between
calls. A plugin supplies facts, may block, and receives news; it never writes a field of the upload record. Hook wrappers are
refused for that reason.

To see every call with its time and masked arguments: ``NHIRX_TRACE_PLUGINS=1``. To leave a plugin out for once:
``NHIRX_BLOCK_PLUGINS=name,other``; for good: ``blocked = ["name"]`` under ``[plugins]`` in the settings file.

Every hook with its arguments stands in ``docs/hooks.md``; a plugin grown line by line in ``docs/howto/write-a-plugin.md``.
'''

import pluggy

NAME = "nhirx"
"""The project's name for pluggy, and the entry-point group."""

hookimpl = pluggy.HookimplMarker(NAME)
"""Marks a function or method as the implementation of the hook of its name."""

__all__ = ["NAME", "hookimpl"]

"""``python -m nhirx`` is ``nhirx``."""

from nhirx.cli import main

main()

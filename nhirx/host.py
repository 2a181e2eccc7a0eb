"""Host: the one place that knows the order of the steps (being built)."""


class Host:
    """Being built."""

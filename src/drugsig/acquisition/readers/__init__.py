"""One reader a format, and the gates that all of them pass."""

__all__: list[str] = []

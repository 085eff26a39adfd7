"""How long each step of a publication took, for those who want to know why it is slow."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Laps:
    """Seconds by the name of the step; a step that is done several times adds up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def lap(self, step: str) -> Iterator[None]:
        """Counts what is done inside."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = round(self.seconds.get(step, 0) + time.monotonic() - begun, 3)

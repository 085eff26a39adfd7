"""Counts wrong withdrawal codes by the address they come from."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

ALLOWED: Final = 10
SECONDS: Final = 60
"""One wrong code is forgiven after each so many seconds."""
ADDRESSES: Final = 10_000


class WrongCodes:
    """How many wrong codes came lately, in the memory of this process.

    A right code is taken from any address at any time, since neighbours of whoever tries codes must be able to
    withdraw. What keeps codes from being guessed is their 128 random bits.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Takes a clock in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._forgiven_at: OrderedDict[str, float] = OrderedDict()

    def count(self, address: str) -> bool:
        """Counts one; whether it is one too many."""
        with self._lock:
            now, place = self._clock(), _network(address)
            forgiven_at = max(self._forgiven_at.pop(place, now), now) + SECONDS
            full_at = now + ALLOWED * SECONDS
            self._forgiven_at[place] = min(forgiven_at, full_at)
            if len(self._forgiven_at) > ADDRESSES:
                self._forgiven_at.popitem(last=False)
            return forgiven_at > full_at


def _network(address: str) -> str:
    """An address of IPv6 stands for its whole network, which one household has."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address

"""Wakes those who wait for something in the database; tells nothing but *that* it changed.

Whoever is woken reads the store. So a watcher that comes late misses nothing, and what carries the news between
processes needs to bring no more than an id.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class News:
    """Wakes the watchers of an id. `announce` and `announce_all` are for any thread, the rest for the event loop's.

    `announced` counts; who finds it unchanged has missed nothing meanwhile.
    """

    def __init__(self) -> None:
        self._watchers: dict[int, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.announced = 0

    def start(self) -> None:
        """To be called in the event loop, before anything is announced that somebody might miss."""
        self._loop = asyncio.get_running_loop()

    @contextmanager
    def watching(self, key: int) -> Iterator[asyncio.Event]:
        """An event that is set whenever `key` has changed, while the block runs; the watcher clears it."""
        self.start()
        changed = asyncio.Event()
        self._watchers.setdefault(key, set()).add(changed)
        try:
            yield changed
        finally:
            self._watchers[key].discard(changed)
            if not self._watchers[key]:
                del self._watchers[key]

    @property
    def watchers(self) -> int:
        """How many wait at this moment."""
        return sum(map(len, list(self._watchers.values())))

    def announce(self, key: int) -> None:
        """Wake everybody who watches this; to be called after the change is committed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, key)

    def announce_all(self) -> None:
        """Wake every watcher there is."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_all)

    def _wake(self, key: int) -> None:
        self.announced += 1
        for changed in self._watchers.get(key, ()):
            changed.set()

    def _wake_all(self) -> None:
        self.announced += 1
        for key in self._watchers:
            self._wake(key)

"""Tells those who watch a job that it has changed; within one process, and nothing but *that* it changed.

Whoever is woken reads the store. So a watcher that comes late misses nothing, and another carrier between processes
needs to bring no more than a job's id.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class JobNews:
    """Wakes the watchers of a job. `watching` belongs to the event loop, `announce` to any thread."""

    def __init__(self) -> None:
        self._watchers: dict[int, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def watching(self, job_id: int) -> Iterator[asyncio.Event]:
        """An event that is set whenever the job has changed, while the block runs; the watcher clears it."""
        self._loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        self._watchers.setdefault(job_id, set()).add(changed)
        try:
            yield changed
        finally:
            self._watchers[job_id].discard(changed)
            if not self._watchers[job_id]:
                del self._watchers[job_id]

    def announce(self, job_id: int) -> None:
        """Wake everybody who watches this job; to be called after the change is committed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, job_id)

    def _wake(self, job_id: int) -> None:
        for changed in self._watchers.get(job_id, ()):
            changed.set()

"""What `asyncio` keeps in C (``_asyncio``): tasks and the queues they wait in, here on the board's clock.

The built-in ones take the time from the host, which disagrees with the board's `ticks_ms`. The attributes are those that
``asyncio.core`` works with: `coro`; `data`, the queue or task waited for, and at the end the exception the coroutine
ended with; `state`: True while it runs and nobody waits, a `TaskQueue` of those who wait, a callable, or at the end False
or, when nobody asked for the result yet, None; `ph_key`, the time at which it is to run.
"""

from runtime.time import ticks_diff, ticks_ms


class TaskQueue:
    """Tasks in the order of their times; those of one time in the order they came."""

    def __init__(self):
        self._tasks = []

    def peek(self):
        return self._tasks[0] if self._tasks else None

    def push(self, task, when=None):
        task.data = None
        task.ph_key = ticks_ms() if when is None else when
        index = len(self._tasks)
        while index and ticks_diff(self._tasks[index - 1].ph_key, task.ph_key) > 0:
            index -= 1
        self._tasks.insert(index, task)

    def pop(self):
        return self._tasks.pop(0)

    def remove(self, task):
        self._tasks.remove(task)


class Task:
    """A coroutine that runs; `core` is the dictionary of ``asyncio.core``."""

    def __init__(self, coro, core=None):
        self.coro = coro
        self.data = None
        self.state = True
        self.ph_key = 0
        self._core = core

    def __iter__(self):
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        waiting = self._core["cur_task"]
        self.state.push(waiting)
        waiting.data = self

    def done(self):
        return not self.state

    def cancel(self):
        if not self.state:
            return False
        if self is self._core["cur_task"]:
            raise RuntimeError("can't cancel self")
        innermost = self
        while isinstance(innermost.data, Task):
            innermost = innermost.data
        innermost.wake_to_be_cancelled()
        return True

    def wake_to_be_cancelled(self):
        """Run at once, with CancelledError thrown in; what this task waited for forgets it."""
        ready = self._core["_task_queue"]
        if hasattr(self.data, "remove"):
            self.data.remove(self)
            ready.push(self)
        elif ticks_diff(self.ph_key, ticks_ms()) > 0:
            ready.remove(self)
            ready.push(self)
        self.data = self._core["CancelledError"]

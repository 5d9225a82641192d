"""When to ask for the next job, and how long that may wait at the backend. Knows no HTTP and no contract.

A backend that lets a board wait says so with each answer. What lies on the way may not: a proxy that cuts connections
on which nothing is said. So after a wait that failed the board asks as ever for a while, then tries again.
"""

from .timer import Timer, jittered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Clock, System

POLL_MS = 1_000
POLL_BACKOFF_MAX_MS = 30_000
LONGEST_WAIT_S = 30
FREE_AFTER_MS = 4_000  # a wait ends so long before the next thing is due: the answer takes its time as well
PLAIN_POLLS = 60
_MOST_FAILURES = 5


class Polls:
    """`due` says when; `begin` says how long, and how it went is told by `answered`, `failed` or `wait_failed`.

    `interrupted` says that `forget` was called since `begin`: how that poll ends does not matter any more.
    """

    def __init__(self, clock: "Clock", system: "System") -> None:
        self._timer = Timer(clock)
        self._system = system
        self._offered_s = 0
        self._plain_left = 0
        self._waits_failed = 0
        self._failures = 0
        self.interrupted = False

    @property
    def due(self) -> bool:
        """Whether to ask now."""
        return self._timer.due

    @property
    def may_wait(self) -> bool:
        """Whether the backend has offered that, and nothing speaks against it."""
        return self._offered_s > 0 and self._plain_left == 0

    def start(self, after_ms: int) -> None:
        """Ask next in so long."""
        self._timer.start(after_ms)

    def forget(self) -> None:
        """It may be another backend: ask now, as for the first time."""
        self._offered_s = self._plain_left = self._waits_failed = self._failures = 0
        self.interrupted = True
        self.start(0)

    def begin(self, free_ms: int) -> int:
        """A poll begins, and the next thing is due in `free_ms`: the seconds that it may wait, 0 for none."""
        self.interrupted = False
        self.start(POLL_MS)
        if not self.may_wait:
            return 0
        return max(min(self._offered_s, LONGEST_WAIT_S, (free_ms - FREE_AFTER_MS) // 1000), 0)

    def answered(self, waited_s: int, offered_s: int) -> None:
        """The backend has answered, and offers to let the next one wait so long."""
        if self.interrupted:
            return
        self._failures = 0
        self._offered_s = offered_s
        if waited_s:
            self._waits_failed = 0
        else:
            self._plain_left = max(self._plain_left - 1, 0)
            self.start(POLL_MS)

    def failed(self) -> bool:
        """The backend did not answer as it should: ask later. Whether this is news."""
        news = self._failures == 0 and not self.interrupted
        if not self.interrupted:
            self._offered_s = 0
            self._failures = min(self._failures + 1, _MOST_FAILURES)
            self.start(jittered(min(POLL_MS << self._failures, POLL_BACKOFF_MAX_MS), self._system))
        return news

    def wait_failed(self) -> None:
        """A poll that waited came to nothing: ask without, soon (but not all boards at once), and for a while."""
        self._plain_left = PLAIN_POLLS << self._waits_failed
        self._waits_failed = min(self._waits_failed + 1, _MOST_FAILURES)
        self.start(int(POLL_MS * self._system.random()))

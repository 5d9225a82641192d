"""How a board stands, told from its log lines alone: network, job, item and the time left for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dispctl.logs.job_progress import JobProgress

if TYPE_CHECKING:
    from dispctl.logs.events import LogEvent

_ITEM_OVER = frozenset(
    {"item_done", "item_failed", "job_executed", "chip_reset", "soft_reset", "firmware_started"}
)
_NETWORKS = {"wifi_started": "joining", "wifi_joined": "joined", "wifi_failed": "failed"}
_NETWORK_WORDS = {
    None: "network not seen",
    "joined": "✓ {}",
    "joining": "joining {}",
    "failed": "✗ {}",
    "lost": "✗ {} lost",
}
_NETWORK_GONE = frozenset({"chip_reset", "firmware_started"})


@dataclass(frozen=True)
class BoardStatus:
    """What the log has told so far; what it has not is None. `item_ends_s` is on the clock of the lines' moments."""

    job: JobProgress = field(default_factory=JobProgress)
    jar: int | None = None
    item_ends_s: float | None = None
    ssid: str | None = None
    network: str | None = None

    def after(self, line: LogEvent, moment_s: float) -> BoardStatus:
        """What is known once `line` was seen at `moment_s` (in seconds, monotonic)."""
        known = replace(self, job=self.job.after(line))
        if line.event in _NETWORK_GONE:
            known = replace(known, network=None)
        if line.event in _ITEM_OVER:
            return replace(known, item_ends_s=None)
        if line.event == "item_started":
            return replace(
                known, jar=int(line.fields["jar"]), item_ends_s=moment_s + float(line.fields["seconds"])
            )
        if line.event == "wifi_lost":
            return replace(known, network="lost")
        if line.event in _NETWORKS:
            return replace(known, network=_NETWORKS[line.event], ssid=str(line.fields["ssid"]))
        return known

    def summary(self, now_s: float) -> str:
        """In a few words, for a person, at `now_s`."""
        return f"{self._job_words(now_s)} · {self._network_words()}"

    def _job_words(self, now_s: float) -> str:
        job = self.job
        if job.job_id is None and job.item is None:
            return "no job seen"
        name = f"job {job.job_id}" if job.job_id is not None else "a job"
        if job.ended:
            return f"{name} {'done' if job.succeeded else 'ended with failures'}"
        if job.item is None:
            return name
        if self.item_ends_s is None:
            return f"{name}, item {job.item}/{job.total}"
        left_s = max(0.0, self.item_ends_s - now_s)
        return f"{name}, item {job.item}/{job.total}, jar {self.jar}: {left_s:.1f} s left"

    def _network_words(self) -> str:
        return _NETWORK_WORDS[self.network].format(self.ssid or "network")

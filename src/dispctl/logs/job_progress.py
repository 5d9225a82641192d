"""How a job goes, told from its log lines alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispctl.logs.events import LogEvent


@dataclass(frozen=True)
class JobProgress:
    """The job the log speaks of, as far as the lines seen tell; `ended` once its report was accepted or given up.

    Who begins to watch in mid-job has not seen how earlier items ended; the firmware's count of them, just before the
    report, makes up for that: `failed_count` is None until it came.
    """

    job_id: int | None = None
    item: int | None = None
    total: int | None = None
    done: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    done_count: int | None = None
    failed_count: int | None = None
    rejected: bool = False
    ended: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the job ended with no item failed and its report accepted, as far as was seen."""
        return self.ended and not self.failed and not self.failed_count and not self.rejected

    @property
    def anything_done(self) -> bool:
        """Whether an item was poured."""
        return bool(self.done or self.done_count)

    def after(self, line: LogEvent) -> JobProgress:
        """What is known once `line` was seen too."""
        fields = {name: value for name, value in line.fields.items() if isinstance(value, int)}
        match line.event:
            case "job_received" | "job_started":
                known = self._begun(fields.get("job_id"))
            case "item_started" | "job_resumed":
                job_id = fields.get("job_id", self.job_id)
                known = replace(self, job_id=job_id, item=fields["item"], total=fields["total"])
            case "item_done":
                known = replace(self, done=self.done | {fields["item"]})
            case "item_failed":
                known = replace(self, failed=self.failed | {fields["item"]})
            case "report_started":
                known = self._reported(fields["job_id"])
            case "report_counted":
                known = replace(self, done_count=fields["done"], failed_count=fields["failed"])
            case "report_accepted" | "report_rejected":
                known = replace(self, ended=True, rejected=line.event == "report_rejected")
            case _:
                known = self
        return known

    def _reported(self, job_id: int) -> JobProgress:
        """The report of the job whose items were seen, also where its number was not; of any other it begins anew."""
        return replace(self, job_id=job_id) if self.job_id is None and not self.ended else self._begun(job_id)

    def _begun(self, job_id: int | None) -> JobProgress:
        """The same job after a resume keeps what is known of its items; any other begins anew."""
        if job_id is not None and job_id == self.job_id and not self.ended:
            return self
        return JobProgress(job_id=job_id)

"""How a job goes, told from its log lines alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispctl.logs.events import LogEvent


@dataclass(frozen=True)
class JobProgress:
    """The job the log speaks of, as far as the lines seen tell; `ended` once its report was accepted or given up.

    Lines before the first one seen are not known: who begins to watch in mid-job learns nothing of earlier items.
    """

    job_id: int | None = None
    item: int | None = None
    total: int | None = None
    done: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    rejected: bool = False
    ended: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the job ended with no item failed and its report accepted, as far as was seen."""
        return self.ended and not self.failed and not self.rejected

    def after(self, line: LogEvent) -> JobProgress:
        """What is known once `line` was seen too."""
        fields = {name: value for name, value in line.fields.items() if isinstance(value, int)}
        if line.event in {"job_received", "job_started"}:
            return self._begun(fields.get("job_id"))
        if line.event in {"item_started", "job_resumed"}:
            job_id = fields.get("job_id", self.job_id)
            return replace(self, job_id=job_id, item=fields["item"], total=fields["total"])
        if line.event == "item_done":
            return replace(self, done=self.done | {fields["item"]})
        if line.event == "item_failed":
            return replace(self, failed=self.failed | {fields["item"]})
        if line.event in {"report_accepted", "report_rejected"}:
            return replace(self, ended=True, rejected=line.event == "report_rejected")
        return self

    def _begun(self, job_id: int | None) -> JobProgress:
        """The same job after a resume keeps what is known of its items; any other begins anew."""
        if job_id is not None and job_id == self.job_id and not self.ended:
            return self
        return JobProgress(job_id=job_id)

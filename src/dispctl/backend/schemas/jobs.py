"""Bodies of jobs, of what boards report, and of what watchers of a job are told."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from dispctl.backend.mass import grams, micrograms
from dispctl.backend.report import Report, ReportEntry
from dispctl.backend.schemas.fields import LARGEST_ID, Body, JarNumber, Json, Mass, Moment, Said, Seconds
from dispctl.backend.schemas.kitchen import Motor
from dispctl.backend.store.tables import Job, JobItem, MotorRow

MOST_ENTRIES = 500


class JobRequest(Body):
    """A recipe for so many people. A multiplier is refused where it would override them."""

    receita_id: Annotated[int, Field(ge=1, le=LARGEST_ID)]
    pessoas_solicitadas: Annotated[int, Field(ge=1, le=100)]
    multiplicador: Literal[1] = 1


class JobItemView(BaseModel):
    """One pour of a job."""

    id: int
    ordem: int
    frasco: int
    tempero: str
    quantidade_g: float
    segundos: float
    status: str

    @classmethod
    def of(cls, item: JobItem) -> "JobItemView":
        """The item in grams."""
        return cls(
            id=item.id,
            ordem=item.order,
            frasco=item.jar,
            tempero=item.spice,
            quantidade_g=grams(item.quantity_ug),
            segundos=item.seconds,
            status=item.status,
        )


class JobView(BaseModel):
    """A job as boards and operators get it."""

    id: int
    status: str
    receita_id: int
    pessoas_solicitadas: int
    multiplicador: int
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    erro_msg: str | None
    itens: list[JobItemView]
    motor_config: Motor

    @classmethod
    def of(cls, job: Job, motor: MotorRow) -> "JobView":
        """The job with its owner's motor."""
        return cls(
            id=job.id,
            status=job.status,
            receita_id=job.recipe_id,
            pessoas_solicitadas=job.people,
            multiplicador=1,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            erro_msg=job.error,
            itens=[JobItemView.of(item) for item in job.items],
            motor_config=Motor.of(motor),
        )


class ActiveJob(BaseModel):
    """What is known at a glance of the active job."""

    id: int
    status: str
    started_at: Moment | None


class ActiveView(BaseModel):
    """The active job, or null."""

    active: ActiveJob | None


class CancelledView(BaseModel):
    """How many jobs were cancelled: 1 or 0."""

    ok: bool = True
    cancelled: int


class Heartbeat(Body):
    """A sign of life, with whatever the board says of itself."""

    fw_version: Annotated[str, Field(max_length=64), Said] | None = None
    status: Annotated[dict[str, Any], Json] | None = None


class StatusRequest(Body):
    """The older call."""

    status: Literal["running", "done", "error"]
    error: Annotated[str, Field(max_length=4000), Said] | None = None


class LogEntry(Body):
    """One line of the board's log; further fields are passed over."""

    frasco: JarNumber
    tempero: Annotated[str, Field(max_length=200), Said]
    quantidade_g: Mass
    segundos: Seconds
    status: Literal["done", "failed"]
    error: Annotated[str, Field(max_length=4000), Said] | None = None
    item_ordem: int | None = None

    def as_entry(self) -> ReportEntry:
        """The entry in micrograms."""
        return ReportEntry(
            jar=self.frasco,
            spice=self.tempero,
            quantity_ug=micrograms(self.quantidade_g),
            seconds=self.segundos,
            status=self.status,
            error=self.error,
            order=self.item_ordem,
        )


Count = Annotated[int, Field(ge=0, le=LARGEST_ID)]


# The phase-2 document's names of the report's fields.
SPELLED = {"completados": "itens_completados", "falhados": "itens_falhados", "logs": "execution_logs"}


class ReportRequest(Body):
    """The report, in the wire's spelling or in the phase-2 document's; where both are there the wire's counts."""

    itens_completados: Count
    itens_falhados: Count
    execution_logs: Annotated[list[LogEntry], Field(max_length=MOST_ENTRIES)]

    @model_validator(mode="before")
    @classmethod
    def spell_as_the_wire(cls, body: Any) -> Any:
        """The body with the wire's names."""
        if not isinstance(body, dict):
            return body
        return {SPELLED.get(name, name): value for name, value in body.items()} | {
            name: body[name] for name in SPELLED.values() if name in body
        }

    def as_report(self) -> Report:
        """The report in micrograms."""
        entries = tuple(entry.as_entry() for entry in self.execution_logs)
        return Report(self.itens_completados, self.itens_falhados, entries)


class ReportAnswer(BaseModel):
    """What came of a report; the same for a repeat."""

    ok: bool = True
    stock_deducted: bool
    message: str

"""The tables. Masses are whole micrograms, moments are UTC, tokens are kept as SHA-256 only."""

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from dispctl.backend.plan import Ingredient, Jar

ACTIVE = ("queued", "running")
IS_QUEUED = text("status = 'queued'")
IS_ACTIVE = text("status IN ('queued', 'running')")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware moments in and out, UTC in the database also where it keeps no time zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy calls it so
        """An aware moment, turned to UTC."""
        return None if value is None else value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy calls it so
        """The moment, aware again."""
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


class Base(DeclarativeBase):
    """What all tables share; constraints have names, so that a migration can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        float: Double,
        dict[str, Any]: JSON,
        list[dict[str, Any]]: JSON,
    }


class Operator(Base):
    """Somebody who signs in; owns jars, recipes, jobs and boards. `name_key` is the name without regard to case."""

    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    name_key: Mapped[str] = mapped_column(String(180), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class OperatorSession(Base):
    """A signed-in browser or tool; deleting the row signs it out. `id` is the SHA-256 of what the cookie names."""

    __tablename__ = "operator_sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    operator: Mapped[Operator] = relationship(lazy="joined")


class Attempts(Base):
    """How often somebody tried (a password, a claim code) in the window that ends at `until`."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    made: Mapped[int]
    until: Mapped[datetime] = mapped_column(index=True)


class JarRow(Base):
    """What an operator says of a jar, 1 to 4."""

    __tablename__ = "jars"
    __table_args__ = (
        CheckConstraint("number BETWEEN 1 AND 4", name="number"),
        CheckConstraint("stock_ug >= 0", name="stock"),
    )

    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    spice: Mapped[str | None] = mapped_column(String(60))
    grams_per_second: Mapped[float | None]
    stock_ug: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime]

    def as_jar(self) -> Jar:
        """The jar as planning sees it."""
        return Jar(self.number, self.spice, self.grams_per_second, self.stock_ug)


class MotorRow(Base):
    """An operator's vibration motor and the longest a job may run."""

    __tablename__ = "motors"

    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True)
    vibration_intensity: Mapped[int]
    pre_start_delay_ms: Mapped[int]
    post_stop_delay_ms: Mapped[int]
    max_runtime_s: Mapped[int]


class RecipeRow(Base):
    """A recipe for so many portions. Ids are never used again: jobs keep naming recipes that are gone."""

    __tablename__ = "recipes"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    portions: Mapped[int]
    ingredients: Mapped[list["IngredientRow"]] = relationship(
        lazy="selectin", order_by="IngredientRow.order", cascade="all, delete-orphan"
    )


class IngredientRow(Base):
    """One ingredient of a recipe; `order` counts from 1."""

    __tablename__ = "ingredients"

    id: Mapped[int] = mapped_column(primary_key=True)
    recipe_id: Mapped[int] = mapped_column(ForeignKey("recipes.id", ondelete="CASCADE"), index=True)
    order: Mapped[int]
    spice: Mapped[str] = mapped_column(String(60))
    quantity_ug: Mapped[int] = mapped_column(BigInteger)

    def as_ingredient(self) -> Ingredient:
        """The ingredient as planning sees it."""
        return Ingredient(self.spice, self.quantity_ug)


class Device(Base):
    """A board that claimed; one operator's. Claiming again replaces the token, so the old one is void."""

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("operator_id", "uid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    uid: Mapped[str] = mapped_column(String(64))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    fw_version: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))
    last_seen: Mapped[datetime]
    status: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Claim(Base):
    """A code by which a board becomes an operator's. One unspent code exists once; spending it sets `used_at`."""

    __tablename__ = "claims"
    __table_args__ = (
        Index(
            "unspent_claims",
            "code",
            unique=True,
            sqlite_where=text("used_at IS NULL"),
            postgresql_where=text("used_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(6))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Job(Base):
    """A job. The unique index holds that an operator has one active job at most, whoever asks for two.

    Ids are never used again: boards remember the ids of the jobs they poured. `recipe_id` is no foreign key, because a
    job outlives its recipe. `device_id` is the board that took it.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("active_jobs", "operator_id", unique=True, sqlite_where=IS_ACTIVE, postgresql_where=IS_ACTIVE),
        Index("queued_jobs", "operator_id", "id", sqlite_where=IS_QUEUED, postgresql_where=IS_QUEUED),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), index=True)
    recipe_id: Mapped[int]
    people: Mapped[int]
    status: Mapped[str] = mapped_column(String(12))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    items: Mapped[list["JobItem"]] = relationship(
        lazy="selectin", order_by="JobItem.order", cascade="all, delete-orphan"
    )


class JobItem(Base):
    """One pour of a job; `order` counts from 1."""

    __tablename__ = "job_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    order: Mapped[int]
    jar: Mapped[int]
    spice: Mapped[str] = mapped_column(String(60))
    quantity_ug: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float]
    status: Mapped[str] = mapped_column(String(12), default="queued")
    error: Mapped[str | None]


class JobReport(Base):
    """The one report that counts for a job, as the board sent it, and the answer it got.

    `source` is ``complete``, or ``status`` for a job that a board finished by the older call.
    """

    __tablename__ = "job_reports"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"), index=True)
    source: Mapped[str] = mapped_column(String(8))
    fingerprint: Mapped[str] = mapped_column(String(64))
    completed: Mapped[int]
    failed: Mapped[int]
    entries: Mapped[list[dict[str, Any]]]
    stock_deducted: Mapped[bool]
    message: Mapped[str]
    received_at: Mapped[datetime]


class SetAsideReport(Base):
    """A further report for a job that had one: without effect, kept so that somebody can look."""

    __tablename__ = "set_aside_reports"
    __table_args__ = (UniqueConstraint("job_id", "fingerprint"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    completed: Mapped[int]
    failed: Mapped[int]
    entries: Mapped[list[dict[str, Any]]]
    received_at: Mapped[datetime]


class StockTaken(Base):
    """The ledger: what a job took out of a jar's stock, once a job and jar."""

    __tablename__ = "stock_taken"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    jar: Mapped[int] = mapped_column(primary_key=True)
    taken_ug: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime]

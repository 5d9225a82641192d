"""The tables of the first release, as it made them before there were migrations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

QUEUED_OR_RUNNING = sa.text("status IN ('queued', 'running')")
UNSPENT = sa.text("used_at IS NULL")


def upgrade() -> None:
    """Make them."""
    _make_operators()
    _make_kitchen()
    _make_boards()
    _make_jobs()
    _make_reports()


def _moment(name: str, *, nullable: bool = False, index: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, index=index)


def _of(
    table: str, *, on_delete: str = "CASCADE", primary_key: bool = False, index: bool = False
) -> "sa.Column[object]":
    """The column that names a row of another table."""
    key = sa.ForeignKey(f"{table}s.id", ondelete=on_delete)
    nullable = on_delete == "SET NULL"
    return sa.Column(f"{table}_id", sa.Integer, key, primary_key=primary_key, nullable=nullable, index=index)


def _make_operators() -> None:
    op.create_table(
        "operators",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("name_key", sa.String(180), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(200), nullable=False),
        _moment("created_at"),
    )
    op.create_table(
        "operator_sessions",
        sa.Column("id", sa.String(64), primary_key=True),
        _of("operator", index=True),
        _moment("expires_at", index=True),
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.String(300), primary_key=True),
        sa.Column("made", sa.Integer, nullable=False),
        _moment("until", index=True),
    )


def _make_kitchen() -> None:
    op.create_table(
        "jars",
        _of("operator", primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("spice", sa.String(60)),
        sa.Column("grams_per_second", sa.Double),
        sa.Column("stock_ug", sa.BigInteger),
        _moment("updated_at"),
        sa.CheckConstraint("number BETWEEN 1 AND 4", name="number"),
        sa.CheckConstraint("stock_ug >= 0", name="stock"),
    )
    op.create_table(
        "motors",
        _of("operator", primary_key=True),
        sa.Column("vibration_intensity", sa.Integer, nullable=False),
        sa.Column("pre_start_delay_ms", sa.Integer, nullable=False),
        sa.Column("post_stop_delay_ms", sa.Integer, nullable=False),
        sa.Column("max_runtime_s", sa.Integer, nullable=False),
    )
    op.create_table(
        "recipes",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("operator", index=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("portions", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ingredients",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("recipe", index=True),
        sa.Column("order", sa.Integer, nullable=False),
        sa.Column("spice", sa.String(60), nullable=False),
        sa.Column("quantity_ug", sa.BigInteger, nullable=False),
    )


def _make_boards() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("operator"),
        sa.Column("uid", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("fw_version", sa.String(64), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        _moment("last_seen"),
        sa.Column("status", sa.JSON, nullable=False),
        sa.UniqueConstraint("operator_id", "uid"),
    )
    op.create_table(
        "claims",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("operator"),
        sa.Column("code", sa.String(6), nullable=False),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
    )
    op.create_index(
        "unspent_claims", "claims", ["code"], unique=True, sqlite_where=UNSPENT, postgresql_where=UNSPENT
    )


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("operator"),
        sa.Column("recipe_id", sa.Integer, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        _of("device", on_delete="SET NULL"),
        _moment("created_at"),
        _moment("started_at", nullable=True),
        _moment("finished_at", nullable=True),
        sa.Column("error", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "active_jobs",
        "jobs",
        ["operator_id"],
        unique=True,
        sqlite_where=QUEUED_OR_RUNNING,
        postgresql_where=QUEUED_OR_RUNNING,
    )
    op.create_index("jobs_by_status", "jobs", ["operator_id", "status", "id"])
    op.create_table(
        "job_items",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("job", index=True),
        sa.Column("order", sa.Integer, nullable=False),
        sa.Column("jar", sa.Integer, nullable=False),
        sa.Column("spice", sa.String(60), nullable=False),
        sa.Column("quantity_ug", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("error", sa.String),
    )


def _make_reports() -> None:
    op.create_table(
        "job_reports",
        _of("job", primary_key=True),
        _of("device", on_delete="SET NULL"),
        sa.Column("source", sa.String(8), nullable=False),
        *_report_columns(),
        sa.Column("stock_deducted", sa.Boolean, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        _moment("received_at"),
    )
    op.create_table(
        "set_aside_reports",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("job"),
        _of("device", on_delete="SET NULL"),
        *_report_columns(),
        _moment("received_at"),
        sa.UniqueConstraint("job_id", "fingerprint"),
    )
    op.create_table(
        "stock_taken",
        _of("job", primary_key=True),
        sa.Column("jar", sa.Integer, primary_key=True),
        sa.Column("taken_ug", sa.BigInteger, nullable=False),
        _moment("taken_at"),
    )


def _report_columns() -> "list[sa.Column[object]]":
    return [
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("completed", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("entries", sa.JSON, nullable=False),
    ]

"""What Alembic runs: the migrations, in the transaction that the caller (`dispctl.backend.store.upgrade`) has begun."""

from alembic import context

from dispctl.backend.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
context.run_migrations()

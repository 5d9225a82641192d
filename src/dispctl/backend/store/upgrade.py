"""Brings a database up to what this version needs, and says so where it cannot."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from dispctl.backend.store.errors import NewerDatabaseError
from dispctl.backend.store.migrations import __file__ as migrations_file

# The database as versions without migrations made it.
FIRST = "0001"


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations that are missing up to `revision`, in the connection's transaction.

    A database that was made before there were migrations is taken for what the first of them makes. Raises
    `NewerDatabaseError`.
    """
    config = _config(connection)
    tables = inspect(connection).get_table_names()
    if "operators" in tables and "alembic_version" not in tables:
        command.stamp(config, FIRST)
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise NewerDatabaseError("The database was used by a newer version of dispctl.") from error


def _config(connection: Connection) -> Config:
    config = Config()
    # Alembic formats its options: a percent sign in the folder's name would be taken for a reference.
    folder = str(Path(migrations_file).parent).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config

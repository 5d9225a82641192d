"""What the commands of ``dispctl backend`` share: which database, and what can be wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from platformdirs import user_data_path

from dispctl.errors import UsageError

if TYPE_CHECKING:
    from dispctl.backend.store.database import Database

EXTRA_PACKAGES = (
    "fastapi", "uvicorn", "websockets", "sqlalchemy", "alembic", "argon2", "jwt", "prometheus_client",
)  # fmt: skip
NAME_ANOTHER = "Name one that can be used: --database sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="DISPCTL_DATABASE",
        metavar="URL",
        help="sqlite:///FILE or postgresql+psycopg://…; default: a file in the user's data folder.",
    ),
]


def url_or_default(url: str | None) -> str:
    """The database's URL; without one, a file in the user's data folder."""
    return url or f"sqlite:///{user_data_path('dispctl') / 'backend.sqlite3'}"


@contextmanager
def usable() -> Iterator[None]:
    """What is wrong with a database, or with the installation, becomes a `UsageError`."""
    try:
        from dispctl.backend.store.errors import MissingDriverError, UnusableDatabaseError

        try:
            yield
        except MissingDriverError as error:
            raise UsageError(str(error), hint="Run: pip install 'dispctl[postgres]'") from error
        except UnusableDatabaseError as error:
            raise UsageError(str(error), hint=NAME_ANOTHER) from error
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in EXTRA_PACKAGES:
            raise
        hint = "Run: pip install 'dispctl[backend]'"
        raise UsageError("The embedded backend is not installed.", hint=hint) from error


@contextmanager
def opened(url: str | None) -> Iterator["Database"]:
    """The database for the length of a block; raises `UsageError`."""
    with usable():
        from dispctl.backend.store.database import Database

        database = Database(url_or_default(url))
        try:
            yield database
        finally:
            database.close()

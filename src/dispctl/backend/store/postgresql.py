"""What is particular to PostgreSQL: connections, one upgrade at a time, and news between processes by NOTIFY."""

import logging
import selectors
import socket
import threading
from collections.abc import Sequence

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, func, select
from sqlalchemy.orm import Session

from dispctl.backend.store.changes import ANYTHING, Change, Told

logger = logging.getLogger(__name__)

CHANNEL = "dispctl_changes"
# For a few processes, PostgreSQL's own limit being 100; threads that find none free wait.
CONNECTIONS = 12
LOCK_TIMEOUT_MS = 15_000
CONNECT_TIMEOUT_S = 10
RETRY_S = 1.0
# Any number that nothing else locks; it keeps two processes from upgrading the database at once.
UPGRADE_LOCK = 0x64697370


def open_engine(url: URL) -> Engine:
    """The engine of a PostgreSQL database; nothing is connected yet."""
    return create_engine(
        url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        hide_parameters=True,  # they hold hashes of passwords and tokens, and errors are logged
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": f"-c lock_timeout={LOCK_TIMEOUT_MS}",
            "application_name": "dispctl",
        },
    )


def lock_for_upgrade(connection: Connection) -> None:
    """Wait until no other process upgrades the database, and keep others from it to the transaction's end."""
    connection.execute(select(func.pg_advisory_xact_lock(UPGRADE_LOCK)))


class Notifications:
    """Carries changes through PostgreSQL: sent in the transaction that makes them, heard by every process."""

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._listener: _Listener | None = None

    def follow(self, told: Told) -> None:
        """Listen in a thread of its own, on a connection of its own."""
        self._listener = _Listener(self._conninfo, told)
        self._listener.start()

    def send(self, session: Session, changes: Sequence[Change]) -> None:
        """Leave the changes with the transaction: PostgreSQL tells them at its commit, or never."""
        for change in changes:
            session.execute(select(func.pg_notify(CHANNEL, f"{change.operator_id} {change.job_id or ''}")))

    def sent(self, changes: Sequence[Change]) -> None:
        """This process hears of it as the others do."""

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None


class _Listener(threading.Thread):
    """Listens until it is stopped; a connection that is lost is made anew."""

    def __init__(self, conninfo: str, told: Told) -> None:
        super().__init__(name="postgresql-listener", daemon=True)
        self._conninfo = conninfo
        self._told = told
        self._ears, self._stopper = socket.socketpair()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Stop, and wait until it has."""
        self._stopping.set()
        self._stopper.close()
        self.join()
        self._ears.close()

    def run(self) -> None:
        """Listen, connecting again as long as it takes."""
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.OperationalError as error:
                logger.warning("Listening for changes failed and is tried again: %s", error)
                self._stopping.wait(RETRY_S)

    def _listen(self) -> None:
        options = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "dispctl-listener"}
        with psycopg.connect(self._conninfo, autocommit=True, **options) as connection:  # type: ignore[arg-type]
            connection.execute(f"LISTEN {CHANNEL}")
            self._told(ANYTHING)  # whatever was told while nobody listened
            self._hear(connection)

    def _hear(self, connection: psycopg.Connection) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._ears, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select()
                for notification in connection.notifies(timeout=0):
                    self._told(_read(notification.payload))


def _read(payload: str) -> Change:
    operator_id, _, job_id = payload.partition(" ")
    return Change(int(operator_id), int(job_id) if job_id else None)

"""Counts attempts at passwords and claim codes, so that neither can be guessed; counted for all processes together."""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispctl.backend.refusals import TooManyAttemptsError
from dispctl.backend.store.tables import Attempts


def take(session: Session, key: str, *, limit: int, window: timedelta, now: datetime) -> None:
    """Count one attempt *before* it is made, so that many at once do not slip through.

    Raises `TooManyAttemptsError` when `limit` were made in the window that the first of them opened.
    """
    _clear_old(session, now)
    if not _count_one(session, key, now, window):
        _open_window(session, key, now, window)
    row = session.execute(select(Attempts.made, Attempts.until).where(Attempts.key == key)).one()
    if row.made > limit:
        wait_s = max(1, round((row.until - now).total_seconds()))
        raise TooManyAttemptsError("Too many attempts; try again later.", retry_after_s=wait_s)


def give_back(session: Session, key: str) -> None:
    """An attempt was right: it does not count."""
    session.execute(
        update(Attempts).where(Attempts.key == key, Attempts.made > 0).values(made=Attempts.made - 1)
    )


def forget(session: Session, key: str) -> None:
    """Start afresh."""
    session.execute(delete(Attempts).where(Attempts.key == key))


def _clear_old(session: Session, now: datetime) -> None:
    """Leave no window that has ended, but for those that another transaction has in hand."""
    old = select(Attempts.key).where(Attempts.until <= now).with_for_update(skip_locked=True)
    session.execute(delete(Attempts).where(Attempts.key.in_(old)))


def _count_one(session: Session, key: str, now: datetime, window: timedelta) -> bool:
    over = Attempts.until <= now
    counted = session.execute(
        update(Attempts)
        .where(Attempts.key == key)
        .values(
            made=case((over, 1), else_=Attempts.made + 1),
            until=case((over, now + window), else_=Attempts.until),
        )
        .returning(Attempts.key)
        .execution_options(synchronize_session=False)
    )
    return counted.first() is not None


def _open_window(session: Session, key: str, now: datetime, window: timedelta) -> None:
    try:
        with session.begin_nested():
            session.add(Attempts(key=key, made=1, until=now + window))
    except IntegrityError:  # another process opened it between the two statements
        _count_one(session, key, now, window)

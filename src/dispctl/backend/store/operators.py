"""Operators and their sessions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispctl.backend.refusals import NameTakenError, NotSignedInError
from dispctl.backend.security import digest, new_token
from dispctl.backend.store.tables import Operator, OperatorSession


@dataclass(frozen=True)
class SignedIn:
    """Who asks."""

    id: int
    name: str


def add(session: Session, name: str, password_hash: str, now: datetime) -> Operator:
    """A new operator; raises `NameTakenError` when the name is taken, in whatever case."""
    operator = Operator(name=name, name_key=name.casefold(), password_hash=password_hash, created_at=now)
    session.add(operator)
    try:
        session.flush()
    except IntegrityError as error:
        raise NameTakenError("This name is taken.") from error
    return operator


def named(session: Session, name: str) -> Operator | None:
    """The operator of this name, in whatever case, if there is one."""
    return session.scalar(select(Operator).where(Operator.name_key == name.casefold()))


def lock(session: Session, operator_id: int) -> None:
    """Have what is done for this operator done by one transaction at a time, until this one ends."""
    session.execute(select(Operator.id).where(Operator.id == operator_id).with_for_update(key_share=True))


def sign_in(session: Session, operator_id: int, *, now: datetime, expires: datetime) -> str:
    """A new session's id; sessions that have expired go."""
    old = select(OperatorSession.id).where(OperatorSession.expires_at <= now)
    session.execute(
        delete(OperatorSession).where(OperatorSession.id.in_(old.with_for_update(skip_locked=True)))
    )
    session_id = new_token()
    session.add(OperatorSession(id=digest(session_id), operator_id=operator_id, expires_at=expires))
    return session_id


def sign_out(session: Session, session_id: str) -> None:
    """End a session; the cookie that names it is worth nothing from now on."""
    session.execute(delete(OperatorSession).where(OperatorSession.id == digest(session_id)))


def signed_in(session: Session, session_id: str | None, now: datetime) -> SignedIn:
    """Who the session belongs to; raises `NotSignedInError` when there is none, or it has ended."""
    row = session.get(OperatorSession, digest(session_id)) if session_id else None
    if row is None or row.expires_at <= now:
        raise NotSignedInError("Not signed in.")
    return SignedIn(row.operator.id, row.operator.name)

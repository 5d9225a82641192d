"""Claim codes and the boards that spent them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispctl.backend.refusals import BadClaimError, NotFoundError, NotSignedInError, StoreBusyError
from dispctl.backend.security import digest, new_claim_code, new_token
from dispctl.backend.store import changes, operators
from dispctl.backend.store.tables import Claim, Device

CODES_TRIED = 20
UNKNOWN = "The device token is not valid."


@dataclass(frozen=True)
class Identity:
    """What a board says of itself when it claims."""

    uid: str
    fw_version: str
    mac: str


def new_claim(session: Session, operator_id: int, *, now: datetime, expires: datetime) -> Claim:
    """A code that no other live claim has. Raises `StoreBusyError` when by chance all that were tried are in use."""
    old = select(Claim.id).where(Claim.used_at.is_(None), Claim.expires_at <= now)
    session.execute(delete(Claim).where(Claim.id.in_(old.with_for_update(skip_locked=True))))
    for _ in range(CODES_TRIED):
        claim = Claim(operator_id=operator_id, code=new_claim_code(), expires_at=expires, used_at=None)
        try:
            with session.begin_nested():
                session.add(claim)
        except IntegrityError:
            continue
        return claim
    raise StoreBusyError("No claim code is free; try again.")


def open_claims(session: Session, operator_id: int, now: datetime) -> Sequence[Claim]:
    """The operator's codes that can be spent, the one that lasts longest first."""
    return session.scalars(
        select(Claim)
        .where(Claim.operator_id == operator_id, Claim.used_at.is_(None), Claim.expires_at > now)
        .order_by(Claim.expires_at.desc(), Claim.id.desc())
    ).all()


def spend_claim(session: Session, code: str, identity: Identity, now: datetime) -> tuple[Device, str]:
    """The board, now the operator's who made the code, and its new token; the code and the old token are void.

    Raises `BadClaimError` when the code is wrong, spent or expired. One update decides who spends it.
    """
    operator_id = session.scalar(
        update(Claim)
        .where(Claim.code == code, Claim.used_at.is_(None), Claim.expires_at > now)
        .values(used_at=now)
        .returning(Claim.operator_id)
        .execution_options(synchronize_session=False)
    )
    if operator_id is None:
        raise BadClaimError("The claim code is wrong or has expired.")
    operators.lock(session, operator_id)
    token = new_token()
    return _register(session, operator_id, identity, digest(token), now), token


def _register(
    session: Session, operator_id: int, identity: Identity, token_hash: str, now: datetime
) -> Device:
    device = session.scalar(
        select(Device).where(Device.operator_id == operator_id, Device.uid == identity.uid)
    )
    if device is None:
        device = Device(operator_id=operator_id, uid=identity.uid, status={})
        session.add(device)
    device.token_hash = token_hash
    device.fw_version = identity.fw_version
    device.mac = identity.mac
    device.last_seen = now
    session.flush()
    return device


def saw(session: Session, device_id: int, now: datetime) -> None:
    """Note that the board was heard of; until the transaction ends nobody forgets it.

    Comes before anything that locks a job, as `remove` does it. Raises `NotSignedInError` when the board is gone.
    """
    changed = session.execute(
        update(Device).where(Device.id == device_id).values(last_seen=now).returning(Device.id)
    )
    if changed.first() is None:
        raise NotSignedInError(UNKNOWN)


def devices_of(session: Session, operator_id: int) -> Sequence[Device]:
    """The operator's boards, oldest first."""
    return session.scalars(select(Device).where(Device.operator_id == operator_id).order_by(Device.id)).all()


def remove(session: Session, operator_id: int, device_id: int) -> None:
    """Forget a board: its token is void, and a job that it took is free for another. Raises `NotFoundError`."""
    removed = session.execute(
        delete(Device)
        .where(Device.id == device_id, Device.operator_id == operator_id)
        .returning(Device.id)
        .execution_options(synchronize_session=False)
    )
    if removed.first() is None:
        raise NotFoundError("There is no device {device}.", device=device_id)
    changes.note(session, operator_id)

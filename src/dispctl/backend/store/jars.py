"""Jars, the motor, and the stock that jobs take out of the jars."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispctl.backend.plan import Jar
from dispctl.backend.store import operators
from dispctl.backend.store.tables import JarRow, MotorRow, StockTaken

DEFAULT_MOTOR = {
    "vibration_intensity": 75,
    "pre_start_delay_ms": 500,
    "post_stop_delay_ms": 300,
    "max_runtime_s": 300,
}


def jars_of(session: Session, operator_id: int) -> Sequence[JarRow]:
    """The jars that the operator has set up, by number."""
    return session.scalars(
        select(JarRow).where(JarRow.operator_id == operator_id).order_by(JarRow.number)
    ).all()


def locked_jars_of(session: Session, operator_id: int) -> Sequence[JarRow]:
    """As `jars_of`, and nobody changes them until the transaction ends."""
    return session.scalars(
        select(JarRow).where(JarRow.operator_id == operator_id).order_by(JarRow.number).with_for_update()
    ).all()


def set_jars(session: Session, operator_id: int, jars: Sequence[Jar], now: datetime) -> None:
    """Set the given jars up; the others stay as they are."""
    operators.lock(session, operator_id)
    for jar in jars:
        session.merge(
            JarRow(
                operator_id=operator_id,
                number=jar.number,
                spice=jar.spice,
                grams_per_second=jar.grams_per_second,
                stock_ug=jar.stock_ug,
                updated_at=now,
            )
        )
    session.flush()


def take_stock(
    session: Session, operator_id: int, job_id: int, taken_ug: Mapping[int, int], now: datetime
) -> bool:
    """Take a job's micrograms, by jar, off the stock and enter them in the ledger; returns whether any was taken.

    A jar whose stock nobody keeps is left out; a stock never falls below nothing. Twice for one job and jar is an
    `IntegrityError`: the caller has made sure that it is the first time.
    """
    locked = session.scalars(
        select(JarRow)
        .where(JarRow.operator_id == operator_id, JarRow.number.in_(taken_ug), JarRow.stock_ug.is_not(None))
        .order_by(JarRow.number)
        .with_for_update()
    ).all()
    for jar in locked:
        stock_ug = jar.stock_ug or 0
        taken = min(stock_ug, taken_ug[jar.number])
        jar.stock_ug = stock_ug - taken
        jar.updated_at = now
        session.add(StockTaken(job_id=job_id, jar=jar.number, taken_ug=taken, taken_at=now))
    return bool(locked)


def motor_of(session: Session, operator_id: int) -> MotorRow:
    """The operator's motor as it is set, or as it is by default (not saved)."""
    return session.get(MotorRow, operator_id) or MotorRow(operator_id=operator_id, **DEFAULT_MOTOR)


def set_motor(session: Session, motor: MotorRow) -> None:
    """Keep the motor's settings for its operator."""
    operators.lock(session, motor.operator_id)
    session.merge(motor)

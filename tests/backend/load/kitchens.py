"""Fills a database with operators, each with one board, jars and a recipe; faster than a thousand claims would."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispctl.backend.security import CookieSigner, digest
from dispctl.backend.settings import utc_now
from dispctl.backend.store.database import Database
from dispctl.backend.store.tables import (
    Base,
    Device,
    IngredientRow,
    JarRow,
    Operator,
    OperatorSession,
    RecipeRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

STOCK_UG = 1_000_000_000_000
SPICES = ("Sal", "Pimenta", "Cominho", "Orégano")


@dataclass(frozen=True)
class Kitchen:
    """An operator with one board: what each of them needs to be let in. The recipe's id is the number, too."""

    number: int
    cookie: str
    token: str


def fill(url: str, secret: bytes, boards: int) -> list[Kitchen]:
    """Make so many kitchens in an empty database; the operators are signed in."""
    database = Database(url)
    signer, now = CookieSigner(secret), utc_now()
    expires = now + timedelta(days=7)
    with database.write() as session:
        for table, rows in _rows(boards, now, expires).items():
            session.execute(table.insert(), rows)
    database.close()
    return [
        Kitchen(
            number,
            signer.sign(f"session {number}", operator_id=number, issued=now, expires=expires),
            f"token {number}",
        )
        for number in range(1, boards + 1)
    ]


def _rows(boards: int, now: datetime, expires: datetime) -> dict[Any, list[dict[str, Any]]]:
    kinds: list[tuple[type[Base], Iterator[dict[str, Any]]]] = [
        (Operator, (_operator(number, now) for number in range(1, boards + 1))),
        (OperatorSession, (_session(number, expires) for number in range(1, boards + 1))),
        (JarRow, (_jar(number, jar, now) for number in range(1, boards + 1) for jar in range(1, 5))),
        (RecipeRow, (_recipe(number) for number in range(1, boards + 1))),
        (IngredientRow, (_ingredient(number, jar) for number in range(1, boards + 1) for jar in range(1, 5))),
        (Device, (_device(number, now) for number in range(1, boards + 1))),
    ]
    return {kind.__table__: list(rows) for kind, rows in kinds}


def _operator(number: int, now: datetime) -> dict[str, Any]:
    name = f"cook {number}"
    return {"id": number, "name": name, "name_key": name, "password_hash": "", "created_at": now}


def _session(number: int, expires: datetime) -> dict[str, Any]:
    return {"id": digest(f"session {number}"), "operator_id": number, "expires_at": expires}


def _jar(number: int, jar: int, now: datetime) -> dict[str, Any]:
    return {
        "operator_id": number,
        "number": jar,
        "spice": SPICES[jar - 1],
        "grams_per_second": 2.0,
        "stock_ug": STOCK_UG,
        "updated_at": now,
    }


def _recipe(number: int) -> dict[str, Any]:
    return {"id": number, "operator_id": number, "name": "Frango", "portions": 4}


def _ingredient(number: int, jar: int) -> dict[str, Any]:
    return {"recipe_id": number, "order": jar, "spice": SPICES[jar - 1], "quantity_ug": 10_000_000}


def _device(number: int, now: datetime) -> dict[str, Any]:
    return {
        "operator_id": number,
        "uid": f"esp-{number:06d}",
        "token_hash": digest(f"token {number}"),
        "fw_version": "0.1.0",
        "mac": "",
        "last_seen": now,
        "status": {},
    }

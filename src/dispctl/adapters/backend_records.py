"""What the backend keeps, as frozen records, and their JSON form (`design/contract.md`); knows nothing of HTTP.

Attributes are English with units in their names; the wire keeps the backend's Portuguese names. `from_wire` raises
`KeyError`, `TypeError` or `ValueError` for a document that is not what the contract says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

JAR_NUMBERS = range(1, 5)
MAX_INGREDIENTS = 4
MAX_INGREDIENT_G = 500
MAX_PEOPLE = 100
MAX_PORTIONS = 20
MAX_SPICE_LENGTH = 60
MAX_RECIPE_NAME_LENGTH = 120

_STATUS_SPELLINGS = {"partial_success": "done_partial", "cancelled": "canceled"}
_ENDED = frozenset({"done", "done_partial", "failed", "canceled"})


@dataclass(frozen=True)
class Operator:
    """Somebody who may log in."""

    id: int
    name: str

    @classmethod
    def from_wire(cls, document: Any) -> Operator:
        """Read ``{id, nome}``."""
        return cls(id=int(document["id"]), name=str(document["nome"]))


@dataclass(frozen=True)
class Jar:
    """One jar's set-up; `rate_g_per_s` is its calibration, None where it has none, as `stock_g` is."""

    number: int
    spice: str
    rate_g_per_s: float | None
    stock_g: float | None
    updated_at: str | None = None

    @classmethod
    def from_wire(cls, document: Any) -> Jar:
        """Read ``{frasco, rotulo, g_por_seg, estoque_g, updated_at}``."""
        return cls(
            number=int(document["frasco"]),
            spice=str(document.get("rotulo") or ""),
            rate_g_per_s=_number_or_none(document.get("g_por_seg")),
            stock_g=_number_or_none(document.get("estoque_g")),
            updated_at=_text_or_none(document.get("updated_at")),
        )

    def to_wire(self) -> dict[str, Any]:
        """Write what ``PUT /config/robo`` takes of one jar."""
        return {
            "frasco": self.number,
            "rotulo": self.spice,
            "g_por_seg": self.rate_g_per_s,
            "estoque_g": self.stock_g,
        }


@dataclass(frozen=True)
class MotorSettings:
    """The vibration motor and its delays."""

    vibration_intensity_percent: int
    pre_start_delay_ms: int
    post_stop_delay_ms: int
    max_runtime_s: int

    @classmethod
    def from_wire(cls, document: Any) -> MotorSettings:
        """Read ``{vibration_intensity, pre_start_delay_ms, post_stop_delay_ms, max_runtime_sec}``."""
        return cls(
            vibration_intensity_percent=int(document["vibration_intensity"]),
            pre_start_delay_ms=int(document["pre_start_delay_ms"]),
            post_stop_delay_ms=int(document["post_stop_delay_ms"]),
            max_runtime_s=int(document["max_runtime_sec"]),
        )

    def to_wire(self) -> dict[str, Any]:
        """Write the settings as the backend gives them."""
        return {
            "vibration_intensity": self.vibration_intensity_percent,
            "pre_start_delay_ms": self.pre_start_delay_ms,
            "post_stop_delay_ms": self.post_stop_delay_ms,
            "max_runtime_sec": self.max_runtime_s,
        }


@dataclass(frozen=True)
class Ingredient:
    """So many grams of a spice for all of a recipe's portions together."""

    spice: str
    grams: float

    @classmethod
    def from_wire(cls, document: Any) -> Ingredient:
        """Read ``{tempero, quantidade}``."""
        return cls(spice=str(document["tempero"]), grams=_number(document["quantidade"]))

    def to_wire(self) -> dict[str, Any]:
        """Write ``{tempero, quantidade}``."""
        return {"tempero": self.spice, "quantidade": self.grams}


@dataclass(frozen=True)
class RecipeDraft:
    """A recipe that has no id yet."""

    name: str
    portions: int
    ingredients: tuple[Ingredient, ...]

    def to_wire(self) -> dict[str, Any]:
        """Write what ``POST /receitas/`` takes."""
        return {
            "nome": self.name,
            "porcoes": self.portions,
            "ingredientes": [ingredient.to_wire() for ingredient in self.ingredients],
        }


@dataclass(frozen=True)
class Recipe(RecipeDraft):
    """A recipe as the backend keeps it."""

    id: int

    @classmethod
    def from_wire(cls, document: Any) -> Recipe:
        """Read ``{id, nome, porcoes, ingredientes}``."""
        return cls(
            id=int(document["id"]),
            name=str(document["nome"]),
            portions=int(document["porcoes"]),
            ingredients=tuple(Ingredient.from_wire(each) for each in document["ingredientes"]),
        )

    def to_wire(self) -> dict[str, Any]:
        """Write the recipe as the backend gives it."""
        return {"id": self.id, **super().to_wire()}


@dataclass(frozen=True)
class JobItem:
    """One step of a job: a jar open for so many seconds; `grams` is for all people together."""

    position: int
    jar: int
    spice: str
    grams: float
    duration_s: float
    status: str
    error: str | None = None

    @classmethod
    def from_wire(cls, document: Any) -> JobItem:
        """Read ``{ordem, frasco, tempero, quantidade_g, segundos, status, error?}``."""
        return cls(
            position=int(document["ordem"]),
            jar=int(document["frasco"]),
            spice=str(document["tempero"]),
            grams=_number(document["quantidade_g"]),
            duration_s=_number(document["segundos"]),
            status=_status(document["status"]),
            error=_text_or_none(document.get("error")),
        )

    def to_wire(self) -> dict[str, Any]:
        """Write the item as the backend gives it."""
        return {
            "ordem": self.position,
            "frasco": self.jar,
            "tempero": self.spice,
            "quantidade_g": self.grams,
            "segundos": self.duration_s,
            "status": self.status,
            "error": self.error,
        }


@dataclass(frozen=True)
class Job:
    """A job; `status` is ``queued``, ``running``, ``done``, ``done_partial``, ``failed`` or ``canceled``."""

    id: int
    status: str
    recipe_id: int | None
    people: int
    items: tuple[JobItem, ...]
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in _ENDED

    @classmethod
    def from_wire(cls, document: Any) -> Job:
        """Read the job of ``GET /jobs/{id}``; both spellings of a status are taken."""
        recipe_id = document.get("receita_id")
        items = (JobItem.from_wire(each) for each in document["itens"])
        return cls(
            id=int(document["id"]),
            status=_status(document["status"]),
            recipe_id=None if recipe_id is None else int(recipe_id),
            people=int(document["pessoas_solicitadas"]),
            items=tuple(sorted(items, key=lambda item: item.position)),
            created_at=_text_or_none(document.get("created_at")),
            started_at=_text_or_none(document.get("started_at")),
            finished_at=_text_or_none(document.get("finished_at")),
            error=_text_or_none(document.get("erro_msg")),
        )

    def to_wire(self) -> dict[str, Any]:
        """Write the job as the backend gives it, mixed outcomes always as ``done_partial``."""
        return {
            "id": self.id,
            "status": self.status,
            "receita_id": self.recipe_id,
            "pessoas_solicitadas": self.people,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "erro_msg": self.error,
            "itens": [item.to_wire() for item in self.items],
        }


@dataclass(frozen=True)
class Device:
    """A claimed board; `online` means seen within the last 90 s."""

    id: int
    uid: str
    firmware_version: str | None
    last_seen: str | None
    online: bool

    @classmethod
    def from_wire(cls, document: Any) -> Device:
        """Read ``{id, uid, fw_version, last_seen, online}``."""
        return cls(
            id=int(document["id"]),
            uid=str(document["uid"]),
            firmware_version=_text_or_none(document.get("fw_version")),
            last_seen=_text_or_none(document.get("last_seen")),
            online=bool(document["online"]),
        )

    def to_wire(self) -> dict[str, Any]:
        """Write the board as the backend gives it."""
        return {
            "id": self.id,
            "uid": self.uid,
            "fw_version": self.firmware_version,
            "last_seen": self.last_seen,
            "online": self.online,
        }


@dataclass(frozen=True)
class ClaimCode:
    """What lets one board join the operator's fleet, once and for ten minutes."""

    code: str = field(repr=False)
    expires_at: str | None

    @classmethod
    def from_wire(cls, document: Any) -> ClaimCode:
        """Read ``{code, expires_at}``."""
        return cls(code=str(document["code"]), expires_at=_text_or_none(document.get("expires_at")))


def moment(text: str) -> datetime:
    """A moment of the backend (ISO 8601; without a zone it is UTC); raises ValueError."""
    then = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return then if then.tzinfo else then.replace(tzinfo=timezone.utc)


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def _status(value: Any) -> str:
    return _STATUS_SPELLINGS.get(str(value), str(value))

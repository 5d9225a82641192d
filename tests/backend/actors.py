"""Those who use a backend in the tests: a cook (the operator) and boards, each over a client of its own."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

PASSWORD = "correct horse"
SPICES = ("Sal", "Pimenta", "Cominho", "Orégano")


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime.now(timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: float) -> None:
        """Let time pass; `step` as for `timedelta`."""
        self.now += timedelta(**step)


def jar(number: int, spice: str | None, **changes: Any) -> dict[str, Any]:
    """A jar of 100 g that pours 2 g/s, as ``PUT /config/robo`` takes it."""
    return {"frasco": number, "rotulo": spice, "g_por_seg": 2.0, "estoque_g": 100.0, **changes}


def entry(
    item: dict[str, Any], status: str = "done", error: str | None = None, **more: Any
) -> dict[str, Any]:
    """The log entry of a job's item."""
    said = {name: item[name] for name in ("frasco", "tempero", "quantidade_g", "segundos")}
    return {**said, "status": status, "error": error, **more}


def report(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The report that these entries make."""
    done = sum(one["status"] == "done" for one in entries)
    return {"itens_completados": done, "itens_falhados": len(entries) - done, "execution_logs": entries}


def accepted(response: httpx.Response) -> Any:
    """The answer's JSON, which has to be a good one."""
    assert response.is_success, (response.status_code, response.text)
    return response.json() if response.content else None


@dataclass
class Board:
    """A board that has claimed."""

    client: httpx.Client
    token: str
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def heartbeat(self, **body: Any) -> httpx.Response:
        return self.client.post("/devices/me/heartbeat", json=body, headers=self.headers)

    def next_job(self) -> httpx.Response:
        return self.client.get("/devices/me/next_job", headers=self.headers)

    def complete(self, job_id: int, body: Any) -> httpx.Response:
        return self.client.post(f"/devices/me/jobs/{job_id}/complete", json=body, headers=self.headers)

    def status(self, job_id: int, status: str, error: str | None = None) -> httpx.Response:
        body = {"status": status} if error is None else {"status": status, "error": error}
        return self.client.post(f"/devices/me/jobs/{job_id}/status", json=body, headers=self.headers)


@dataclass
class Cook:
    """An operator who is signed in."""

    client: httpx.Client

    def sign_in(self, name: str) -> None:
        credentials = {"nome": name, "senha": PASSWORD}
        accepted(self.client.post("/auth/register", json=credentials))
        accepted(self.client.post("/auth/login", json=credentials))

    def set_up_jars(self) -> None:
        """Four jars with `SPICES`."""
        jars = [jar(number, spice) for number, spice in enumerate(SPICES, start=1)]
        accepted(self.client.put("/config/robo", json=jars))

    def stock_g(self) -> dict[int, float | None]:
        """What is left, by jar."""
        return {row["frasco"]: row["estoque_g"] for row in accepted(self.client.get("/config/robo"))}

    def add_recipe(self, portions: int = 4, **quantities_g: float) -> int:
        """A recipe (10 g of each of `SPICES` where nothing is said); returns its id."""
        amounts = quantities_g or dict.fromkeys(SPICES, 10.0)
        ingredients = [{"tempero": spice, "quantidade": amount} for spice, amount in amounts.items()]
        body = {"nome": "Frango", "porcoes": portions, "ingredientes": ingredients}
        return int(accepted(self.client.post("/receitas/", json=body))["id"])

    def order(self, recipe_id: int, people: int = 4) -> httpx.Response:
        return self.client.post("/jobs", json={"receita_id": recipe_id, "pessoas_solicitadas": people})

    def queue_job(self) -> dict[str, Any]:
        """A queued four-jar job of 10 g each."""
        job: dict[str, Any] = accepted(self.order(self.add_recipe()))
        return job

    def job(self, job_id: int) -> dict[str, Any]:
        job: dict[str, Any] = accepted(self.client.get(f"/jobs/{job_id}"))
        return job

    def claim_code(self) -> str:
        return str(accepted(self.client.post("/devices/claims"))["code"])

    def claim_board(self, uid: str = "esp-a0b1c2") -> Board:
        body = {"uid": uid, "claim_code": self.claim_code(), "fw_version": "0.1.0", "mac": "a0:b1:c2"}
        return Board(self.client, accepted(self.client.post("/devices/claim", json=body))["device_token"])

"""Boards, as the operator claims, sees and forgets them."""

from fastapi import APIRouter

from dispctl.backend.dependencies import Backend, CurrentOperator, refuses
from dispctl.backend.schemas.accounts import ClaimView, DevicesView
from dispctl.backend.schemas.fields import Id
from dispctl.backend.store import devices

router = APIRouter(prefix="/devices", tags=["devices"], responses=refuses(401))


@router.post("/claims")
def new_claim(services: Backend, operator: CurrentOperator) -> ClaimView:
    """A code for one board, valid for ten minutes."""
    now = services.now()
    with services.database.write() as session:
        expires = now + services.settings.claim_lasts
        claim = devices.new_claim(session, operator.id, now=now, expires=expires)
        return ClaimView(code=claim.code, expires_at=claim.expires_at)


@router.get("")
def list_devices(services: Backend, operator: CurrentOperator) -> DevicesView:
    """The operator's boards, and whether any is online."""
    with services.database.read() as session:
        boards = list(devices.devices_of(session, operator.id))
    return DevicesView.of(boards, now=services.now(), online_within=services.settings.online_within)


@router.delete("/{device_id}", status_code=204, responses=refuses(404))
def delete_device(device_id: Id, services: Backend, operator: CurrentOperator) -> None:
    """Forget a board: its token is void, and a job that it took is free for another."""
    with services.database.write() as session:
        devices.remove(session, operator.id, device_id)

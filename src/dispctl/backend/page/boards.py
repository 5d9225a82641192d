"""Boards: which there are, a code for a new one, and forgetting one."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from dispctl.backend.dependencies import Backend, CurrentOperator
from dispctl.backend.page.board_view import view_boards
from dispctl.backend.page.forms import OperatorsForm
from dispctl.backend.page.refused import PageRoute
from dispctl.backend.page.rendering import HEADERS, OperatorsView
from dispctl.backend.schemas.fields import Id
from dispctl.backend.store import devices

router = APIRouter(prefix="/page/boards", route_class=PageRoute)


@router.get("")
def show_boards(view: OperatorsView, operator: CurrentOperator, services: Backend) -> Response:
    """The boards, and the codes that can still be spent."""
    with services.database.read() as session:
        boards = devices.devices_of(session, operator.id)
        claims = devices.open_claims(session, operator.id, services.now())
    return view.html(
        "boards.html",
        boards=view_boards(boards, now=view.now, online_within=services.settings.online_within),
        claims=claims,
    )


@router.post("/claim")
def new_claim(_form: OperatorsForm, operator: CurrentOperator, services: Backend) -> Response:
    """Make a code for one board."""
    now = services.now()
    with services.database.write() as session:
        devices.new_claim(session, operator.id, now=now, expires=now + services.settings.claim_lasts)
    return RedirectResponse("/page/boards", 303, HEADERS)


@router.post("/{device_id}/forget")
def forget(_form: OperatorsForm, device_id: Id, operator: CurrentOperator, services: Backend) -> Response:
    """Forget a board: its token is void, and a job that it took is free for another."""
    with services.database.write() as session:
        devices.remove(session, operator.id, device_id)
    return RedirectResponse("/page/boards", 303, HEADERS)

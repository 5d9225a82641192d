"""The page at ``/``: what the dispenser does, what is in the jars, which boards are there, and what to send."""

from fastapi import APIRouter, Response

from dispctl.backend.dependencies import Backend, CurrentOperator
from dispctl.backend.page.board_view import is_heard, view_boards
from dispctl.backend.page.jar_view import view_jars
from dispctl.backend.page.job_view import view_job
from dispctl.backend.page.recipe_view import view_recipes
from dispctl.backend.page.refused import PageRoute
from dispctl.backend.page.rendering import OperatorsView
from dispctl.backend.store import devices, history, jars, recipes

router = APIRouter(route_class=PageRoute)


@router.get("/")
def overview(view: OperatorsView, operator: CurrentOperator, services: Backend) -> Response:
    """Everything at a glance; the newest job is the active one, if any is."""
    with services.database.read() as session:
        jar_rows = jars.jars_of(session, operator.id)
        recipe_rows = recipes.recipes_of(session, operator.id)
        devices_found = devices.devices_of(session, operator.id)
        newest = history.newest_jobs(session, operator.id, limit=1)
        records = history.records(session, operator.id, newest)
    job = view_job(records[0]) if records else None
    boards = view_boards(devices_found, now=view.now, online_within=services.settings.online_within)
    return view.html(
        "overview.html",
        job=job,
        heard=is_heard(boards, job),
        boards=boards,
        jars=view_jars(jar_rows, recipe_rows),
        recipes=view_recipes(recipe_rows, jar_rows),
    )

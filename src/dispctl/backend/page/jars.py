"""Setting the jars up: spice, rate and stock."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from dispctl.backend.catalogue import catalogue
from dispctl.backend.dependencies import Backend, CurrentOperator, Services
from dispctl.backend.page.forms import Form, OperatorsForm
from dispctl.backend.page.jar_view import JAR_NUMBERS, JarView, version_of, view_jars
from dispctl.backend.page.refused import PageRoute
from dispctl.backend.page.rendering import HEADERS, OperatorsView, View
from dispctl.backend.plan import Jar
from dispctl.backend.refusals import ConflictError, Refusal
from dispctl.backend.schemas.kitchen import JarSetting
from dispctl.backend.store import jars, recipes
from dispctl.backend.store.operators import SignedIn
from dispctl.backend.store.tables import JarRow

PROBLEMS = {
    "rotulo": "Jar {jar}: the spice's name may have 60 characters.",
    "g_por_seg": "Jar {jar}: the rate is a number above 0, at most 1000 grams a second.",
    "estoque_g": "Jar {jar}: the stock is a number of grams from 0 to 1,000,000.",
}
FIELDS = {"rotulo": "spice", "g_por_seg": "rate", "estoque_g": "stock"}

router = APIRouter(prefix="/page/jars", route_class=PageRoute)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field of the form: its name, and the sentence in English with the jar's number."""

    field: str
    sentence: str
    jar: int


@router.get("")
def show_jars(view: OperatorsView, operator: CurrentOperator, services: Backend) -> Response:
    """The jars' settings."""
    return _jars_page(view, operator, services)


@router.post("")
def set_jars(
    form: OperatorsForm, view: OperatorsView, operator: CurrentOperator, services: Backend
) -> Response:
    """Keep what was changed; refused when a jar that was changed here has changed elsewhere since."""
    settings, problems = _read(form)
    if problems:
        return _jars_page(view, operator, services, form=form, problems=problems, status=422)
    try:
        with services.database.write() as session:
            rows = {row.number: row for row in jars.locked_jars_of(session, operator.id)}
            changed = [jar for jar in settings if jar != _as_kept(jar.number, rows.get(jar.number))]
            for jar in changed:
                _check_version(form, jar.number, rows.get(jar.number))
            jars.set_jars(session, operator.id, changed, services.now())
    except ConflictError as conflict:
        return _jars_page(view, operator, services, conflict=conflict, status=conflict.status)
    return RedirectResponse("/", 303, HEADERS)


def _jars_page(
    view: View,
    operator: SignedIn,
    services: Services,
    *,
    form: Form | None = None,
    problems: list[Problem] | None = None,
    conflict: Refusal | None = None,
    status: int = 200,
) -> Response:
    with services.database.read() as session:
        kept = view_jars(jars.jars_of(session, operator.id), [])
        spices = catalogue(recipes.spices_of(session, operator.id))
    typed = form.fields if form else {name: text for jar in kept for name, text in _fields(jar).items()}
    return view.html(
        "jars.html",
        status=status,
        numbers=JAR_NUMBERS,
        typed=typed,
        spices=spices,
        problems=problems or [],
        conflict=conflict,
    )


def _fields(jar: JarView) -> dict[str, str]:
    """The jar as its fields hold it, to the last digit: what is not touched must come back the same."""
    return {
        f"spice-{jar.number}": jar.spice or "",
        f"rate-{jar.number}": _exact(jar.rate_g_per_s),
        f"stock-{jar.number}": _exact(jar.stock_g),
        f"version-{jar.number}": jar.version,
    }


def _exact(number: float | None) -> str:
    return "" if number is None else repr(number).removesuffix(".0")


def _read(form: Form) -> tuple[list[Jar], list[Problem]]:
    settings, problems = [], []
    for number in JAR_NUMBERS:
        try:
            settings.append(_setting(form, number).as_jar())
        except ValidationError as error:
            names = [str(finding["loc"][0]) for finding in error.errors()]
            problems += [Problem(f"{FIELDS[name]}-{number}", PROBLEMS[name], number) for name in names]
    return settings, problems


def _setting(form: Form, number: int) -> JarSetting:
    """Raises `ValidationError`."""
    return JarSetting.model_validate(
        {
            "frasco": number,
            "rotulo": form.text(f"spice-{number}"),
            "g_por_seg": form.number(f"rate-{number}"),
            "estoque_g": form.number(f"stock-{number}"),
        }
    )


def _as_kept(number: int, row: JarRow | None) -> Jar:
    return row.as_jar() if row else Jar(number, None, None, None)


def _check_version(form: Form, number: int, row: JarRow | None) -> None:
    if form.text(f"version-{number}") != version_of(row):
        raise ConflictError(
            "Jar {jar} has changed since this page was shown, and nothing was saved. Here is how it is now.",
            jar=number,
        )

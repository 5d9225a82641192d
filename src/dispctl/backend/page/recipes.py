"""Recipes: making, changing and deleting them, and sending one as a job."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from dispctl.backend.catalogue import catalogue
from dispctl.backend.dependencies import Backend, CurrentOperator, Services
from dispctl.backend.mass import grams
from dispctl.backend.page.forms import Form, OperatorsForm
from dispctl.backend.page.recipe_view import view_recipes
from dispctl.backend.page.refused import PageRoute
from dispctl.backend.page.rendering import HEADERS, OperatorsView, View
from dispctl.backend.refusals import ConflictError, Refusal
from dispctl.backend.schemas.fields import Id
from dispctl.backend.schemas.jobs import JobRequest
from dispctl.backend.schemas.kitchen import RecipeBody
from dispctl.backend.store import jars, jobs, recipes
from dispctl.backend.store.operators import SignedIn
from dispctl.backend.store.tables import RecipeRow

PLACES = (1, 2, 3, 4)
PROBLEMS = {
    "nome": "A recipe needs a name of at most 120 characters.",
    "porcoes": "Portions are a whole number from 1 to 20.",
    "ingredientes": "Each ingredient needs a spice and an amount from 0.1 g to 500 g, in steps of 0.1 g; at least one.",
}
FIELDS = {"nome": "name", "porcoes": "portions", "ingredientes": "spice-1"}

router = APIRouter(prefix="/page/recipes", route_class=PageRoute)


@router.get("")
def show_recipes(view: OperatorsView, operator: CurrentOperator, services: Backend) -> Response:
    """All recipes, each with its form to send it."""
    return _recipes_page(view, operator, services)


@router.get("/new")
def new_recipe(view: OperatorsView, operator: CurrentOperator, services: Backend) -> Response:
    """The form for a new recipe."""
    return _form_page(view, operator, services, {"portions": "4"})


@router.post("/new")
def add_recipe(
    form: OperatorsForm, view: OperatorsView, operator: CurrentOperator, services: Backend
) -> Response:
    """Keep a new recipe."""
    try:
        draft = _body(form).as_draft()
    except ValidationError as error:
        return _form_page(view, operator, services, form.fields, error=error)
    with services.database.write() as session:
        recipes.add(session, operator.id, draft)
    return RedirectResponse("/page/recipes", 303, HEADERS)


@router.get("/{recipe_id}")
def edit_recipe(recipe_id: Id, view: OperatorsView, operator: CurrentOperator, services: Backend) -> Response:
    """The form with a recipe in it."""
    with services.database.read() as session:
        fields = _fields(recipes.recipe(session, operator.id, recipe_id))
    return _form_page(view, operator, services, fields, recipe_id=recipe_id)


@router.post("/{recipe_id}")
def change_recipe(
    form: OperatorsForm, recipe_id: Id, view: OperatorsView, operator: CurrentOperator, services: Backend
) -> Response:
    """Change a recipe; jobs made from it stay as they are."""
    try:
        draft = _body(form).as_draft()
    except ValidationError as error:
        return _form_page(view, operator, services, form.fields, recipe_id=recipe_id, error=error)
    with services.database.write() as session:
        recipes.replace(session, operator.id, recipe_id, draft)
    return RedirectResponse("/page/recipes", 303, HEADERS)


@router.post("/{recipe_id}/delete")
def delete_recipe(
    _form: OperatorsForm, recipe_id: Id, operator: CurrentOperator, services: Backend
) -> Response:
    """Delete a recipe; jobs made from it stay."""
    with services.database.write() as session:
        recipes.remove(session, operator.id, recipe_id)
    return RedirectResponse("/page/recipes", 303, HEADERS)


@router.post("/{recipe_id}/send")
def send_recipe(
    form: OperatorsForm, recipe_id: Id, view: OperatorsView, operator: CurrentOperator, services: Backend
) -> Response:
    """Queue a job for so many people."""
    try:
        body = JobRequest.model_validate(
            {"receita_id": recipe_id, "pessoas_solicitadas": form.text("people")}
        )
        with services.database.write() as session:
            jobs.create(session, operator.id, recipe_id, body.pessoas_solicitadas, services.now())
    except ValidationError:
        problem: Refusal = Refusal("The number of people is a whole number from 1 to 100.")
    except ConflictError as conflict:
        problem = conflict
    else:
        return RedirectResponse("/", 303, HEADERS)
    return _recipes_page(view, operator, services, problem)


def _recipes_page(
    view: View, operator: SignedIn, services: Services, problem: Refusal | None = None
) -> Response:
    with services.database.read() as session:
        shown = view_recipes(recipes.recipes_of(session, operator.id), jars.jars_of(session, operator.id))
    status = problem.status if problem else 200
    return view.at("/page/recipes").html("recipes.html", status=status, recipes=shown, problem=problem)


def _form_page(
    view: View,
    operator: SignedIn,
    services: Services,
    typed: dict[str, str],
    *,
    recipe_id: int | None = None,
    error: ValidationError | None = None,
) -> Response:
    with services.database.read() as session:
        spices = catalogue(recipes.spices_of(session, operator.id))
    names = dict.fromkeys(str(finding["loc"][0]) for finding in error.errors()) if error else {}
    return view.html(
        "recipe.html",
        status=422 if error else 200,
        recipe_id=recipe_id,
        places=PLACES,
        typed=typed,
        spices=spices,
        problems={FIELDS[name]: PROBLEMS[name] for name in names},
    )


def _body(form: Form) -> RecipeBody:
    """Raises `ValidationError`. A place with neither spice nor amount is left out."""
    places = [(form.text(f"spice-{place}"), form.number(f"amount-{place}")) for place in PLACES]
    return RecipeBody.model_validate(
        {
            "nome": form.text("name"),
            "porcoes": form.text("portions"),
            "ingredientes": [
                {"tempero": spice, "quantidade": amount} for spice, amount in places if spice or amount
            ],
        }
    )


def _fields(recipe: RecipeRow) -> dict[str, str]:
    fields = {"name": recipe.name, "portions": str(recipe.portions)}
    for place, row in enumerate(recipe.ingredients, start=1):
        fields[f"spice-{place}"] = row.spice
        fields[f"amount-{place}"] = f"{grams(row.quantity_ug):.12g}"
    return fields

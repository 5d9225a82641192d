"""Jars, motor, recipes and the names of spices."""

from fastapi import APIRouter

from dispctl.backend.catalogue import catalogue
from dispctl.backend.dependencies import Backend, CurrentOperator, refuses
from dispctl.backend.schemas.fields import Id
from dispctl.backend.schemas.kitchen import JarSettings, JarView, Motor, RecipeBody, RecipeView
from dispctl.backend.store import jars, recipes

router = APIRouter(tags=["kitchen"], responses=refuses(401))


@router.get("/config/robo")
def get_jars(services: Backend, operator: CurrentOperator) -> list[JarView]:
    """The jars that are set up."""
    with services.database.read() as session:
        return [JarView.of(jar) for jar in jars.jars_of(session, operator.id)]


@router.put("/config/robo")
def put_jars(body: JarSettings, services: Backend, operator: CurrentOperator) -> list[JarView]:
    """Set jars up; those not named stay as they are."""
    with services.database.write() as session:
        jars.set_jars(session, operator.id, [jar.as_jar() for jar in body], services.now())
        return [JarView.of(jar) for jar in jars.jars_of(session, operator.id)]


@router.get("/config/motor")
def get_motor(services: Backend, operator: CurrentOperator) -> Motor:
    """The vibration motor's settings."""
    with services.database.read() as session:
        return Motor.of(jars.motor_of(session, operator.id))


@router.put("/config/motor")
def put_motor(body: Motor, services: Backend, operator: CurrentOperator) -> Motor:
    """Set the vibration motor."""
    with services.database.write() as session:
        jars.set_motor(session, body.as_row(operator.id))
    return body


@router.get("/receitas/")
def list_recipes(services: Backend, operator: CurrentOperator) -> list[RecipeView]:
    """The operator's recipes."""
    with services.database.read() as session:
        return [RecipeView.of(row) for row in recipes.recipes_of(session, operator.id)]


@router.post("/receitas/", status_code=201)
def add_recipe(body: RecipeBody, services: Backend, operator: CurrentOperator) -> RecipeView:
    """A new recipe."""
    with services.database.write() as session:
        return RecipeView.of(recipes.add(session, operator.id, body.as_draft()))


@router.get("/receitas/{recipe_id}", responses=refuses(404))
def get_recipe(recipe_id: Id, services: Backend, operator: CurrentOperator) -> RecipeView:
    """One recipe."""
    with services.database.read() as session:
        return RecipeView.of(recipes.recipe(session, operator.id, recipe_id))


@router.put("/receitas/{recipe_id}", responses=refuses(404))
def put_recipe(recipe_id: Id, body: RecipeBody, services: Backend, operator: CurrentOperator) -> RecipeView:
    """Change a recipe; jobs made from it stay as they are."""
    with services.database.write() as session:
        return RecipeView.of(recipes.replace(session, operator.id, recipe_id, body.as_draft()))


@router.delete("/receitas/{recipe_id}", status_code=204, responses=refuses(404))
def delete_recipe(recipe_id: Id, services: Backend, operator: CurrentOperator) -> None:
    """Delete a recipe; jobs made from it stay."""
    with services.database.write() as session:
        recipes.remove(session, operator.id, recipe_id)


@router.get("/catalogo/temperos")
def list_spices(services: Backend, operator: CurrentOperator) -> list[str]:
    """Names of spices: the usual ones, and those in the operator's jars and recipes."""
    with services.database.read() as session:
        return catalogue(recipes.spices_of(session, operator.id))

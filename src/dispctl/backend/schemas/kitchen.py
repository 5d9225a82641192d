"""Bodies of jars, motor and recipes."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from dispctl.backend.mass import grams, micrograms
from dispctl.backend.plan import Ingredient, Jar
from dispctl.backend.schemas.fields import Body, JarNumber, Mass, Moment, Printable, Spice, Stripped
from dispctl.backend.store.recipes import Draft
from dispctl.backend.store.tables import IngredientRow, JarRow, MotorRow, RecipeRow

STEP_UG = micrograms(0.1)


class JarSetting(Body):
    """A jar as the operator sets it up."""

    frasco: JarNumber
    rotulo: Annotated[str, Field(max_length=60), Printable] | None = None
    g_por_seg: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = None
    estoque_g: Mass | None = None

    def as_jar(self) -> Jar:
        """The jar; a blank label means that nothing is in it."""
        stock_ug = None if self.estoque_g is None else micrograms(self.estoque_g)
        return Jar(self.frasco, (self.rotulo or "").strip() or None, self.g_por_seg, stock_ug)


def _each_once(jars: list[JarSetting]) -> list[JarSetting]:
    numbers = [jar.frasco for jar in jars]
    if len(set(numbers)) != len(numbers):
        raise ValueError("a jar is named twice")
    return jars


JarSettings = Annotated[list[JarSetting], Field(max_length=4), AfterValidator(_each_once)]


class JarView(BaseModel):
    """A jar as it stands."""

    frasco: int
    rotulo: str | None
    g_por_seg: float | None
    estoque_g: float | None
    updated_at: Moment

    @classmethod
    def of(cls, jar: JarRow) -> "JarView":
        """The jar in grams."""
        return cls(
            frasco=jar.number,
            rotulo=jar.spice,
            g_por_seg=jar.grams_per_second,
            estoque_g=None if jar.stock_ug is None else grams(jar.stock_ug),
            updated_at=jar.updated_at,
        )


class Motor(Body):
    """The vibration motor, and the longest that a job may run."""

    vibration_intensity: Annotated[int, Field(ge=0, le=100)]
    pre_start_delay_ms: Annotated[int, Field(ge=0, le=5000)]
    post_stop_delay_ms: Annotated[int, Field(ge=0, le=5000)]
    max_runtime_sec: Annotated[int, Field(ge=30, le=600)]

    @classmethod
    def of(cls, motor: MotorRow) -> "Motor":
        """The motor as it is kept."""
        return cls(
            vibration_intensity=motor.vibration_intensity,
            pre_start_delay_ms=motor.pre_start_delay_ms,
            post_stop_delay_ms=motor.post_stop_delay_ms,
            max_runtime_sec=motor.max_runtime_s,
        )

    def as_row(self, operator_id: int) -> MotorRow:
        """The motor as an operator's."""
        return MotorRow(
            operator_id=operator_id,
            vibration_intensity=self.vibration_intensity,
            pre_start_delay_ms=self.pre_start_delay_ms,
            post_stop_delay_ms=self.post_stop_delay_ms,
            max_runtime_s=self.max_runtime_sec,
        )


def _in_tenths(quantity_g: float) -> float:
    if micrograms(quantity_g) % STEP_UG:
        raise ValueError("must be in steps of 0.1 g")
    return quantity_g


class IngredientBody(Body):
    """One ingredient, in grams for the recipe's own number of portions."""

    tempero: Spice
    quantidade: Annotated[float, Field(gt=0, le=500, allow_inf_nan=False), AfterValidator(_in_tenths)]


class RecipeBody(Body):
    """A recipe as it comes."""

    nome: Annotated[str, Field(min_length=1, max_length=120), Stripped]
    porcoes: Annotated[int, Field(ge=1, le=20)]
    ingredientes: Annotated[list[IngredientBody], Field(min_length=1, max_length=4)]

    def as_draft(self) -> Draft:
        """The recipe in micrograms."""
        ingredients = [Ingredient(row.tempero, micrograms(row.quantidade)) for row in self.ingredientes]
        return Draft(self.nome, self.porcoes, ingredients)


class IngredientView(BaseModel):
    """One ingredient as it is kept."""

    id: int
    tempero: str
    quantidade: float

    @classmethod
    def of(cls, row: IngredientRow) -> "IngredientView":
        """The ingredient in grams."""
        return cls(id=row.id, tempero=row.spice, quantidade=grams(row.quantity_ug))


class RecipeView(BaseModel):
    """A recipe as it is kept."""

    id: int
    nome: str
    porcoes: int
    ingredientes: list[IngredientView]

    @classmethod
    def of(cls, recipe: RecipeRow) -> "RecipeView":
        """The recipe in grams."""
        ingredients = [IngredientView.of(row) for row in recipe.ingredients]
        return cls(id=recipe.id, nome=recipe.name, porcoes=recipe.portions, ingredientes=ingredients)

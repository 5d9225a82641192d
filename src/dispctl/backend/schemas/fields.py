"""Fields that several bodies share, with the contract's limits."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# What a database's integer holds; beyond it there is nothing to be found.
LARGEST_ID = 2**31 - 1
LARGEST_MASS_G = 1_000_000


def _printable(text: str) -> str:
    if any(ord(character) < ord(" ") for character in text):
        raise ValueError("control characters are not allowed")
    return text


def _stripped(text: str) -> str:
    stripped = _printable(text).strip()
    if not stripped:
        raise ValueError("must not be blank")
    return stripped


def _without_nul(text: str) -> str:
    """A board's own words: PostgreSQL keeps no NUL, and a report is not refused for one."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _is_json(value: Any) -> Any:
    """Python reads numbers (NaN, Infinity) and halves of characters that JSON cannot hold."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("is nested too deep") from error
    return value


Printable = AfterValidator(_printable)
Said = AfterValidator(_without_nul)
Json = AfterValidator(_is_json)
Stripped = AfterValidator(_stripped)

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
JarNumber = Annotated[int, Field(ge=1, le=4)]
Mass = Annotated[float, Field(ge=0, le=LARGEST_MASS_G, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Spice = Annotated[str, Field(min_length=1, max_length=60), Stripped]
Moment = datetime


class Body(BaseModel):
    """A request's body; fields that nobody knows are passed over."""

    model_config = ConfigDict(extra="ignore")


class Detail(BaseModel):
    """What every refusal says."""

    detail: str


class Ok(BaseModel):
    """Done."""

    ok: bool = True

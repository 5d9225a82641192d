"""The backend's clock."""

from fastapi import APIRouter
from pydantic import BaseModel

from dispctl.backend.dependencies import Backend
from dispctl.backend.schemas.fields import Moment

router = APIRouter(tags=["time"])


class TimeView(BaseModel):
    """The present moment in UTC."""

    utc: Moment


@router.get("/time")
async def time(services: Backend) -> TimeView:
    """What time it is."""
    return TimeView(utc=services.now())

"""Bodies of registering, signing in and claiming, and the operator's list of boards."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from dispctl.backend.schemas.fields import Body, Moment, Printable, Stripped
from dispctl.backend.store.tables import Device


class Credentials(Body):
    """A name and a password."""

    nome: Annotated[str, Field(min_length=1, max_length=60), Stripped]
    senha: Annotated[str, Field(min_length=1, max_length=1024)]


class OperatorView(BaseModel):
    """An operator."""

    id: int
    nome: str


class ClaimView(BaseModel):
    """A claim code and until when it can be spent."""

    code: str
    expires_at: Moment


class DeviceView(BaseModel):
    """A board; `online` means heard of within the contract's 90 s."""

    id: int
    uid: str
    fw_version: str
    last_seen: Moment
    online: bool


class DevicesView(BaseModel):
    """An operator's boards."""

    devices: list[DeviceView]
    online_any: bool

    @classmethod
    def of(cls, devices: list[Device], *, now: datetime, online_within: timedelta) -> "DevicesView":
        """The boards as they are at `now`."""
        views = [
            DeviceView(
                id=device.id,
                uid=device.uid,
                fw_version=device.fw_version,
                last_seen=device.last_seen,
                online=now - device.last_seen <= online_within,
            )
            for device in devices
        ]
        return cls(devices=views, online_any=any(view.online for view in views))


class ClaimRequest(Body):
    """A board that wants to be an operator's."""

    uid: Annotated[str, Field(min_length=4, max_length=64), Printable]
    claim_code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    fw_version: Annotated[str, Field(max_length=64), Printable] = ""
    mac: Annotated[str, Field(max_length=64), Printable] = ""


class ClaimedView(BaseModel):
    """What the board needs from now on."""

    device_id: int
    device_token: str
    heartbeat_sec: int

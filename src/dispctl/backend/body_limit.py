"""ASGI middleware that refuses bodies larger than any call of the contract needs, before they fill the memory."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Has a body of more than `largest` bytes, announced or not, answered with 413 once it is read so far."""

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its bytes."""
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._largest:
                raise HTTPException(413, f"The body is larger than {self._largest} bytes.")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)

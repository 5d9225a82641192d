"""What a browser sees of a refusal: the way to sign in, or a page with the sentence, in its own language."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from dispctl.backend.page.rendering import HEADERS, View, translator_of
from dispctl.backend.refusals import NotFoundError, NotSignedInError, Refusal

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Handler:
        """The route's handler, with its refusals answered."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedInError:
                return RedirectResponse("/page/sign-in", 303, HEADERS)
            except RequestValidationError:  # an id or a query that no link of the page has
                return _page(request, NotFoundError("There is no such page."))
            except Refusal as refusal:
                return _page(request, refusal)

        return answer


def _page(request: Request, refusal: Refusal) -> Response:
    view = View(translator_of(request), "/", request.app.state.services.now())
    return view.html("refused.html", status=refusal.status, headers=refusal.headers, refusal=refusal)

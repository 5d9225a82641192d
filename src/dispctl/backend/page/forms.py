"""Forms as browsers post them, and proof that they were posted from this page.

A state-changing form has to come from the page's own origin (`Origin`, which browsers add to every POST and which no
other site can forge) and, once somebody is signed in, to carry a token that belongs to their session. The cookie's
``SameSite=Lax`` keeps other sites' forms unsigned on top of that.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request

from dispctl.backend.dependencies import Backend, CurrentOperator, Services, SessionCookie
from dispctl.backend.refusals import ForeignFormError

TOKEN_FIELD = "token"  # noqa: S105 - a field's name
MOST_FIELDS = 100


@dataclass(frozen=True)
class Form:
    """The fields of a form, each once."""

    fields: dict[str, str]

    def text(self, name: str) -> str:
        """A field without outer blanks; empty when it is missing."""
        return self.fields.get(name, "").strip()

    def number(self, name: str) -> str | None:
        """What was typed as a number, with a point for a comma; None for an empty field."""
        return self.text(name).replace(",", ".") or None


def form_token(services: Services, cookie: str | None) -> str:
    """The token of a session's forms: who cannot read the session's pages cannot know it."""
    session_id = services.signer.session_id(cookie) or ""
    return hmac.new(services.settings.secret, b"form " + session_id.encode(), hashlib.sha256).hexdigest()


async def _public_form(request: Request) -> Form:
    """A form that needs no session; raises `ForeignFormError`."""
    if urlsplit(request.headers.get("origin", "")).netloc != request.headers.get("host"):
        raise ForeignFormError
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return Form(dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)))
    except ValueError as error:  # more fields than any form here has
        raise ForeignFormError from error


PublicForm = Annotated[Form, Depends(_public_form)]


# Who is signed in is asked first: a session that has ended leads to signing in, not to a refused token.
async def _operators_form(
    form: PublicForm, services: Backend, _operator: CurrentOperator, cookie: SessionCookie
) -> Form:
    """A form of somebody who is signed in; raises `ForeignFormError` and `NotSignedInError`."""
    sent = form.fields.get(TOKEN_FIELD, "").encode()
    if not hmac.compare_digest(sent, form_token(services, cookie).encode()):
        raise ForeignFormError
    return form


OperatorsForm = Annotated[Form, Depends(_operators_form)]

"""Pages as HTML: the templates, what every one of them is given, and the headers that keep others out."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dispctl.backend.dependencies import Backend, CurrentOperator, SessionCookie
from dispctl.backend.page import language
from dispctl.backend.page.assets import ASSETS
from dispctl.backend.page.forms import form_token
from dispctl.backend.page.language import LANGUAGES, Translator
from dispctl.backend.store.operators import SignedIn

# Forms go to this origin only; nothing runs or styles the page but its own two files; nobody frames it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["assets"] = ASSETS
_environment.globals["languages"] = LANGUAGES


@dataclass(frozen=True)
class View:
    """One request's answer in HTML: its language, who asks, and the token of their forms."""

    translator: Translator
    path: str
    now: datetime
    operator: SignedIn | None = None
    token: str = ""

    def at(self, path: str) -> "View":
        """The same for a page that is shown in answer to a form, where `path` is the page's own."""
        return replace(self, path=path)

    def html(
        self, template: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """The page of a template in ``templates/``."""
        text = _environment.get_template(template).render(
            view=self, t=self.translator, number=self.translator.number, **values
        )
        return HTMLResponse(text, status, HEADERS | (headers or {}))


def translator_of(request: Request) -> Translator:
    """How this browser's pages are said."""
    chosen = request.cookies.get(language.COOKIE)
    return Translator(language.choose(chosen, request.headers.get("accept-language", "")))


async def _public_view(request: Request, services: Backend) -> View:
    return View(translator_of(request), request.url.path, services.now())


PublicView = Annotated[View, Depends(_public_view)]


async def _operators_view(
    request: Request, services: Backend, operator: CurrentOperator, cookie: SessionCookie
) -> View:
    token = form_token(services, cookie)
    return View(translator_of(request), request.url.path, services.now(), operator, token)


OperatorsView = Annotated[View, Depends(_operators_view)]

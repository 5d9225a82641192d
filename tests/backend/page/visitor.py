"""Somebody at a browser without JavaScript: loads pages, reads them, and sends their forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from tests.backend.asgi import Client

ORIGIN = "http://testserver"
VOID = {"input", "link", "meta", "img", "option"}


@dataclass
class Element:
    """A start tag, and the text of all that is in it."""

    tag: str
    attributes: dict[str, str]
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, with single blanks."""
        return " ".join(" ".join(self.words).split())


class Page(HTMLParser):
    """An answer's HTML."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.words.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of a tag that have these attributes; `class_` is one of the classes."""
        wanted_class = attributes.pop("class_", None)
        return [
            element
            for element in self.elements
            if element.tag == tag
            and (wanted_class is None or wanted_class in element.attributes.get("class", "").split())
            and all(element.attributes.get(name) == value for name, value in attributes.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, [element.attributes for element in found])
        return found[0]

    @property
    def text(self) -> str:
        """All that is in the body."""
        return self.one("body").text

    @property
    def alert(self) -> str:
        """What the page warns of."""
        return " ".join(
            element.text for element in self.elements if element.attributes.get("role") == "alert"
        ).strip()

    def fields(self) -> dict[str, str]:
        """What every named field of the page holds."""
        return {
            element.attributes["name"]: element.attributes.get("value", "")
            for element in self.all("input")
            if "name" in element.attributes
        }


@dataclass
class Visitor:
    """A browser; `language` is what it likes best."""

    client: Client
    language: str = "en"

    def see(self, path: str) -> Page:
        """Load a page, which has to be there."""
        page = Page(self.get(path))
        assert page.status == 200, page.text
        return page

    def get(self, path: str) -> httpx.Response:
        """Load a page."""
        return self.client.get(path, headers={"Accept-Language": self.language})

    def send(self, path: str, /, *, origin: str | None = ORIGIN, **fields: str) -> httpx.Response:
        """Send a form of these fields alone."""
        headers = {"Accept-Language": self.language} | ({"Origin": origin} if origin else {})
        return self.client.post(path, data=fields, headers=headers)

    def submit(self, path: str, /, *, at: str = "/", **fields: str) -> httpx.Response:
        """Fill in `fields` of the form on page `at` (a dash is written ``_`` there) and send it."""
        typed = {name.replace("_", "-"): value for name, value in fields.items()}
        return self.send(path, **(self.see(at).fields() | typed))


def went_to(answer: httpx.Response) -> str:
    """Where the answer leads."""
    assert answer.status_code == 303, (answer.status_code, answer.text)
    return answer.headers["location"]

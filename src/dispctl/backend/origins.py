"""Whether a browser sends a request for a page of somebody else's; knows no cookies.

Browsers say where a request comes from and let no page lie about it: `Sec-Fetch-Site` over HTTPS and on this machine, and
`Origin` with everything that changes something. Programs (boards, the tool) say neither. The cookie's ``SameSite=Lax`` keeps
other sites off, but a page at another port of the same host is the same site.
"""

from urllib.parse import urlsplit

from fastapi.requests import HTTPConnection

_CHANGE_NOTHING = {"GET", "HEAD", "OPTIONS"}


def is_foreign(connection: HTTPConnection) -> bool:
    """Whether another origin's page wants to change something, or to listen on a WebSocket."""
    if connection.scope["type"] == "http" and connection.scope["method"] in _CHANGE_NOTHING:
        return False
    headers = connection.headers
    if (site := headers.get("sec-fetch-site")) is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")

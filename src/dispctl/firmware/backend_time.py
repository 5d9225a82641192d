"""Learns the time from the backend's answers, where certificates are checked. Knows who was vouched for.

A certificate that seems to begin later, or to have ended, may be right and the board's clock wrong. Then the backend is
asked for the time without checking who it is: it is told nothing, and nothing but its `Date` is read.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .certificate_clock import CertificateClock
    from .console import Console
    from .http_client import HttpClient, Response


class BackendTime:
    """`unchecked` is a client of its own that checks no certificate: none of its connections ever carries a token."""

    def __init__(self, clock: "CertificateClock", unchecked: "HttpClient", console: "Console") -> None:
        self._clock = clock
        self._unchecked = unchecked
        self._console = console

    def learn(self, url: str, answer: "Response") -> None:
        """After an exchange with `url`, whose certificate was to be checked."""
        if answer.status:
            self._clock.set_by_checked(answer.date)
        elif answer.is_untimely and self._clock.may_ask:
            self._ask(url)

    def _ask(self, url: str) -> None:
        shown = self._clock.date()
        date = self._unchecked.request("GET", url, "/", limit=0).date
        self._unchecked.close()
        if self._clock.set_by_unchecked(date):
            self._console.log(
                "HTTP",
                f"⚠ Certificado fora da validade em {shown}: hora do backend usada, {self._clock.date()}",
            )
        else:
            self._console.log("HTTP", f"✗ Certificado fora da validade em {shown}, e a hora não é conhecida")

"""A claim code traded for a token. Knows the answer's fields and when a code is of no more use; not when to try."""

from json import loads

from .backend import UNAUTHORIZED, is_final

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .http_client import Response
    from .parts import Parts

_HEARTBEAT_SEC = 30
_HEARTBEAT_MAX_SEC = 3_600


def claim_token(parts: "Parts") -> "str | None":
    """Claim with the code in the settings, which are changed and not saved; how it failed, None if it did not.

    The answer counts only while code and backend are those that were asked: a token is no other backend's, and what
    becomes of one code says nothing of the next.
    """
    settings = parts.settings
    parts.console.log("CLAIM", "Registrando no backend...")
    asked = settings["backend_url"], settings["claim_code"]
    answer = parts.backend.claim(settings["claim_code"])
    if asked != (settings["backend_url"], settings["claim_code"]):
        parts.console.log("CLAIM", "Resposta descartada: a configuração mudou")
        return "configuração mudou durante o registro"
    if answer.ok and _take_token(parts, answer):
        parts.console.log("CLAIM", "✓ Registrado")
        return None
    parts.console.log("CLAIM", f"✗ Registro falhou: HTTP {answer.status}")
    if answer.ok or answer.status == UNAUTHORIZED or is_final(answer.status):
        settings.merge({"claim_code": None})  # spent or wrong: it will not get better
    # an accepting answer may hold the token: nothing of it is repeated
    return "resposta inválida ao registro" if answer.ok else answer.text()


def _take_token(parts: "Parts", answer: "Response") -> bool:
    try:
        fields = loads(answer.body)
        token = fields["device_token"]
        parts.settings.merge(
            {
                "device_token": token,
                "device_id": fields.get("device_id"),
                "heartbeat_sec": _heartbeat_sec(fields.get("heartbeat_sec")),
                "claim_code": None,
            }
        )
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return False
    parts.backend.refused = False
    return bool(token)


def _heartbeat_sec(value: "Any") -> int:
    """The backend's wish as far as the board can follow it."""
    if not isinstance(value, (int, float)) or not value:
        return _HEARTBEAT_SEC
    return int(min(max(value, 1), _HEARTBEAT_MAX_SEC))

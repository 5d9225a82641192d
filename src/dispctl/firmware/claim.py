"""A claim code traded for a token. Knows the answer's fields and when a code is of no more use; not when to try."""

from json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .http_client import Response
    from .parts import Parts

_HEARTBEAT_SEC = 30
_HEARTBEAT_MAX_SEC = 3_600
_REFUSED = range(400, 500)
_TRY_AGAIN = (408, 429)


def claim_token(parts: "Parts") -> "str | None":
    """Claim with the code in the settings, which are changed and not saved; how it failed, None if it did not."""
    parts.console.log("CLAIM", "Registrando no backend...")
    answer = parts.backend.claim(parts.settings["claim_code"])
    if answer.ok and _take_token(parts, answer):
        parts.console.log("CLAIM", "✓ Registrado")
        return None
    parts.console.log("CLAIM", f"✗ Registro falhou: HTTP {answer.status}")
    if answer.ok or (answer.status in _REFUSED and answer.status not in _TRY_AGAIN):
        parts.settings.merge({"claim_code": None})  # spent or wrong: it will not get better
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

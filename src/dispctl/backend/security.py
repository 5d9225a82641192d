"""Passwords, device tokens, claim codes and the operators' signed cookie; knows neither HTTP nor the database."""

import hashlib
import ipaddress
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

# OWASP's second argon2id profile: 19 MiB and two passes.
MEMORY_KIB = 19 * 1024
PASSES = 2
HASHES_AT_ONCE = 4
ALGORITHM = "HS256"
LEAST_SECRET_BYTES = 32


class Passwords:
    """Hashes passwords with argon2id; a few at a time, because each takes `MEMORY_KIB`."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
        self._slots = threading.BoundedSemaphore(HASHES_AT_ONCE)
        self._nobodys = self._hasher.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        """The encoded hash with its salt and parameters."""
        with self._slots:
            return self._hasher.hash(password)

    def matches(self, encoded: str | None, password: str) -> bool:
        """Whether `password` belongs to the hash; None (nobody of that name) is False and takes as long."""
        with self._slots:
            try:
                self._hasher.verify(encoded or self._nobodys, password)
            except (VerifyMismatchError, InvalidHashError):
                return False
        return encoded is not None


def new_token() -> str:
    """A device token or session id: 256 random bits, safe in a header."""
    return secrets.token_urlsafe(32)


def new_claim_code() -> str:
    """Six digits."""
    return f"{secrets.randbelow(10**6):06d}"


def digest(token: str) -> str:
    """What is kept of a token. It holds 256 random bits, so a fast hash serves: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class CookieSigner:
    """Makes and reads the JWT of the cookie ``access_token``; it names a session that the store can revoke."""

    secret: bytes = field(repr=False)

    def sign(self, session_id: str, *, operator_id: int, issued: datetime, expires: datetime) -> str:
        """The JWT for a session."""
        claims = {"sub": str(operator_id), "jti": session_id, "iat": issued, "exp": expires}
        return jwt.encode(claims, self.secret, algorithm=ALGORITHM)

    def session_id(self, cookie: str | None) -> str | None:
        """The session that a cookie names, or None when it is missing, forged or damaged.

        Whether the session still stands is the store's to say; it keeps the same expiry as the cookie.
        """
        if not cookie:
            return None
        options = {"require": ["jti", "exp"], "verify_exp": False, "verify_iat": False}
        try:
            claims = jwt.decode(cookie, self.secret, algorithms=[ALGORITHM], options=options)  # type: ignore[arg-type]
        except jwt.InvalidTokenError:
            return None
        return str(claims["jti"])


def network_of(address: str | None) -> str:
    """What attempts are counted by: an IPv4 address, or an IPv6 customer's /64."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.version == 4:  # noqa: PLR2004 - an IP version
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))

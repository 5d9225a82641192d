"""Passwords, device tokens and the operators' signed cookie."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.backend.security import CookieSigner, Passwords, network_of, new_claim_code

NOW = datetime(2030, 1, 1, tzinfo=timezone.utc)


def cookie(secret: bytes) -> str:
    return CookieSigner(secret).sign("session", operator_id=1, issued=NOW, expires=NOW + timedelta(days=7))


def test_a_password_matches_its_hash_alone() -> None:
    passwords = Passwords()
    encoded = passwords.hash("päss")

    assert encoded.startswith("$argon2id$")
    assert passwords.matches(encoded, "päss")
    assert not passwords.matches(encoded, "pass")
    assert not passwords.matches(None, "päss")
    assert not passwords.matches("no hash at all", "päss")


def test_a_cookie_names_its_session_to_the_holder_of_the_secret() -> None:
    assert CookieSigner(b"a" * 32).session_id(cookie(b"a" * 32)) == "session"
    assert CookieSigner(b"b" * 32).session_id(cookie(b"a" * 32)) is None


@given(st.text() | st.none())
def test_no_text_is_a_cookie(text: str | None) -> None:
    assert CookieSigner(b"a" * 32).session_id(text) is None


def test_a_signer_does_not_show_its_secret() -> None:
    assert "aaaa" not in repr(CookieSigner(b"a" * 32))


def test_claim_codes_are_six_digits() -> None:
    for _ in range(100):
        code = new_claim_code()
        assert len(code) == 6
        assert code.isdecimal()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_attempts_are_counted_by_customer(address: str | None, network: str) -> None:
    assert network_of(address) == network

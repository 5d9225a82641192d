"""Tests of the operator's page: over ASGI, and in a real browser."""

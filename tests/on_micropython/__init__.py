"""Tests of on_micropython."""

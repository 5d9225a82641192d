"""Suites and stand-ins that run on CPython and on MicroPython alike."""

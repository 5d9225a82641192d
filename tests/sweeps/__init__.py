"""Sweeps and measurements: commands that take minutes, and tests that run each of them for seconds."""

"""A fleet of boards on one machine, against a real server: `python -m tests.backend.load --help`.

Not a test: it measures. docs/backend-load.md has what it measured and the commands that did.
"""

"""Measurements of the commands, beside other tools; run by hand, bounded in the tests."""

"""What holds for every test."""

from hypothesis import settings

# Pytest's own time limit ends a hang; a busy machine is no failure.
settings.register_profile("without a stopwatch", deadline=None)
settings.load_profile("without a stopwatch")

"""Tests of dispctl.backend.store."""

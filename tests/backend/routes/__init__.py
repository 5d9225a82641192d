"""Tests of dispctl.backend.routes."""

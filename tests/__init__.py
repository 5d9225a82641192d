"""Tests of dispctl."""

"""Tests of image."""

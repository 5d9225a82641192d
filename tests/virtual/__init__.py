"""Tests of virtual."""

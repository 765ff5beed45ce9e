"""Tests of ``bridge.validation``."""

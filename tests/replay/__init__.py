"""Tests of ``bridge.replay``."""

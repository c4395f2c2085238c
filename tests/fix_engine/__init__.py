"""Tests of fix_engine."""

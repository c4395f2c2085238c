"""Tests of the journal, module by module."""

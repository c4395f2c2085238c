"""Tests of the tools that read a journal."""

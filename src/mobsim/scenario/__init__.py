"""Scenario files: load, check, resolve, dump."""

"""Declaring operations, reading requests, and writing responses."""

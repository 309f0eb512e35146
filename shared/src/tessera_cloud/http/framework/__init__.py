"""Declares operations, reads requests and writes responses."""

"""Segments of growing cubes: the list of them, and their pixels as one array."""

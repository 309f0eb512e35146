"""Measures of whole cubes: reference frames, what changed, and light curves of bright stars."""

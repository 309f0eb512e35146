"""Directions on the sphere, footprints of frames, and WCS."""

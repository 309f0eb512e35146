"""Cutouts of fixed targets from cubes."""

"""Cutouts of moving targets from cubes."""

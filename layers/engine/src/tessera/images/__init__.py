"""Cutouts of two-dimensional FITS images."""

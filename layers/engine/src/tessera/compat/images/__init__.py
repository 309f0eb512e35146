"""astrocut's classes and functions for FITS images."""

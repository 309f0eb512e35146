"""astrocut's classes and functions for cubes and for cutouts of them."""

"""Which cubes see a target, and cutouts of those."""

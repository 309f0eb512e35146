"""The footprint index: which cubes there are, and where on the sky."""

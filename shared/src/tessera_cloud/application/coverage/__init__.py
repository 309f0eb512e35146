"""Coverage of the sky: MOCs of the cubes that are served, as files that tools of the Virtual Observatory read."""

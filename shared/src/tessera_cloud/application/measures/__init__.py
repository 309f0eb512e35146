"""What was measured of cubes, as requests and steps of a build read and write it."""

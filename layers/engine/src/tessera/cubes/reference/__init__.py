"""Reference frames of cubes."""

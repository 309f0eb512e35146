"""What is kept of cubes between calls."""

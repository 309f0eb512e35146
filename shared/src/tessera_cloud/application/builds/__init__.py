"""Building a cube, step by step."""

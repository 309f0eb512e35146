"""Plans: which cubes see which targets, which bytes are read, and what that costs. Nothing here reads a file."""

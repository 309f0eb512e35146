"""Building cubes: plan the work, transpose the frames, and write the file."""

"""Building cubes: the plan, the transposition of frames, and the file that is written."""

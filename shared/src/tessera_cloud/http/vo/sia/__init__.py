"""Simple Image Access 2.0: finds cubes and images."""

"""SODA 1.0: cuts cubes and images while the client waits."""

"""Write a cube to the disk of this machine."""

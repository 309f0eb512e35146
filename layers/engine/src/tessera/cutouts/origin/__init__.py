"""How a cutout of a cube was made, as a record that can be followed again."""

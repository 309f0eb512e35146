"""How a cutout of an image was made, as a record that can be followed again."""

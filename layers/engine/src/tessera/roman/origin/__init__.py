"""How a cutout of an ASDF image was made, as a record that can be followed again."""

"""Target pixel files: how they are opened, and what is in them."""

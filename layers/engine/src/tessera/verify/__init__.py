"""Makes a product again from what it was made of, and says what differs."""

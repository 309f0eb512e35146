"""What a product was made of: one record for every product, and the places where files hold it."""

"""Forms of products: how each is read, compared, and made again."""

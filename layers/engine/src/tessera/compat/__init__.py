"""The names that users of astrocut know. Only the command line and the package itself import them."""

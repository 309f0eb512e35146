"""Lists of targets at a service: sending a list, its price, watching the work, and loading the products."""

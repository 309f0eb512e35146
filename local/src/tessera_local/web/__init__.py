"""What answers HTTP: the API and the page."""

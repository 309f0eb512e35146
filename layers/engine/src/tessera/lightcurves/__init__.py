"""Light curves from target pixel files, and previews of cutouts."""

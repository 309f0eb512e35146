"""Light curves of all sectors of a target."""

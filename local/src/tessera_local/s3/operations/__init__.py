"""What S3 does: operations on buckets, on objects, on uploads in parts, and lists."""

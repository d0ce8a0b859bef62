"""What a household already has, taken over: read, described, and proposed for a person to commit."""

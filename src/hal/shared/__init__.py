"""What several services share: it imports none of them, and none of them imports another."""

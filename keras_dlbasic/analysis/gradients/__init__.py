"""What the norms of gradients and updates say."""

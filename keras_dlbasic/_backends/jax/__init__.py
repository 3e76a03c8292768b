"""What the package does in JAX itself."""

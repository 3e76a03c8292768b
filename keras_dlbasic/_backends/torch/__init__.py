"""What the package does in PyTorch itself."""

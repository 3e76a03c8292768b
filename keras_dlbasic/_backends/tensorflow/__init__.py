"""What the package does in TensorFlow itself."""

"""What differs between TensorFlow, JAX and PyTorch; nothing else imports a backend."""

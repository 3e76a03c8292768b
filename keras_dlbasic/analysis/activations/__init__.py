"""Activations: what is known of them, and what a batch shows."""

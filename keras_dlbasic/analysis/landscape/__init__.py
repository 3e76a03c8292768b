"""Curvature, critical points and slices of the loss."""

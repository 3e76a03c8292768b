"""All knowledge of the classes of Keras and of their private attributes."""

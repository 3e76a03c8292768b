"""One file a rule; each is found automatically."""

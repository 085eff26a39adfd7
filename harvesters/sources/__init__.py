"""What is known about each source, one module per source; no module knows another."""

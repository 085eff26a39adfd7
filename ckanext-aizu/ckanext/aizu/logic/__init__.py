"""What the portal does, who may do it, and what it accepts."""

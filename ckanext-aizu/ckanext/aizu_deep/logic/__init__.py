"""What may be asked for deep data, and by whom."""

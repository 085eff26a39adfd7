"""Measurements of the running product; figures are printed, never asserted: machines differ."""

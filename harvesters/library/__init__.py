"""Catalogues and seats of libraries in the formats that their systems write."""

"""A search engine for CKAN that needs no second service."""

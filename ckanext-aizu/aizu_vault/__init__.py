"""The vault of deep data: consent, gate, release, log and keys; it imports nothing of CKAN."""

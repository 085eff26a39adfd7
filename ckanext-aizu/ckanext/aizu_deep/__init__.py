"""The catalogue's face of deep data: signposts that everybody finds, and tokens for those who ask the vault."""

"""The municipal standard open datasets: what they ask for, which one a list is, and how far it fulfils it."""

"""Rules across rows and tables, one module a subject; each has `check(frames, findings)`."""

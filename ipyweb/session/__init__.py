"""The user's process: light, never blocking, never raising into user code."""

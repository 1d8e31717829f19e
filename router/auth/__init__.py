"""Tokens: the file that keeps what is known of them, and the gate that asks it."""

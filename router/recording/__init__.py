"""How what the core recorded becomes the journal, in its own process or in this one, and can be asked for."""

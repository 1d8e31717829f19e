"""Questions to a journal, any journal: which entries, from whom, how many, and what was named."""

"""What is done to a journal file beside appending and reading, and what each of these works consists of."""

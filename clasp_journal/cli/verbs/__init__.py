"""The verbs of the tool, a module for each group of them."""

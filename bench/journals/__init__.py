"""What the scenario `journal` is made of."""

"""What can be done with the past: name an instant, bring a state back, play it again, carry it elsewhere."""

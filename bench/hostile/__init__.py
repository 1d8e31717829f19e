"""Peers that mean harm, each kind a program of its own, and honest ones who must not notice them."""

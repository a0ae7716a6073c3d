"""Manifests of corpora, as their owners ship them."""

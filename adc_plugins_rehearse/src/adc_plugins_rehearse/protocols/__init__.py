"""The protocols of search services, as the gallery speaks them."""

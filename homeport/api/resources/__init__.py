"""One module per resource: its shape on the wire and the handlers of its routes."""

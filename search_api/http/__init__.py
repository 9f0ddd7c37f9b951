"""HTTP itself: problem details, entity tags, bodies, negotiation. It knows nothing of routes."""

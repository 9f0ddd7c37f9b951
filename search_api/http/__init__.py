"""HTTP itself: problem details, entity tags, bodies, negotiation. Nothing here knows a route."""

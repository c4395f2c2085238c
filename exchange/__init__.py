"""The venue: what FIX messages mean to the market."""

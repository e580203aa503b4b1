"""Why, why not, and what would have to change: data about a decision."""

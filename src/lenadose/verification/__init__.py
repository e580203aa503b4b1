"""Whether a protocol is sound: reachable states, laws, counterexamples, comparison."""

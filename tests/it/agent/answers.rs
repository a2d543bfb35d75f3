//! Nothing that the agent answers holds the seed, a scope key or the recovery key.

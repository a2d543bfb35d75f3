//! References become values: through the door by every role, and through `inject` as a person uses it.

mod door;
mod inject;

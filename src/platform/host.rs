//! What this machine calls itself.

/// The machine's name, as it says; `unknown` if it has none. Not escaped: it is whatever somebody set.
pub fn name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_machine_has_a_name() {
        assert!(!super::name().is_empty());
    }
}

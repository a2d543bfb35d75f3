//! Bytes on the line and time per key, on a service that answers 100,000 names from memory.

use super::rig::Clip;
use sealbox::domain::{Role, ScopeRef, SecretMeta, SecretName};
use sealbox::service::*;
use sealbox::tui::{Driver, Theme, ThemeName};
use std::sync::Arc;
use std::time::Instant;

/// Names and dates, nothing behind them.
struct Many(usize);

impl Service for Many {
    fn handle(&self, request: Request) -> Result<Answer, ServiceError> {
        let words =
            ["API", "TOKEN", "DATABASE", "URL", "SIGNING", "KEY", "WEBHOOK", "SECRET", "SMTP", "CACHE"];
        Ok(match request {
            Request::Status(_) => Answer::Status(StatusReport {
                state: VaultState::Unlocked,
                vault: "/v".into(),
                store: "/v/store.db".into(),
                organization: Some("acme".into()),
                me: Some("ada".into()),
                lock_in_s: Some(900),
                lock: Default::default(),
                changes_by_others: 0,
                demo: false,
                warnings: Vec::new(),
            }),
            Request::ListScopes(_) => Answer::ListScopes(vec![ScopeInfo {
                scope: ScopeRef::Organization,
                label: "acme".into(),
                id: "00".into(),
                role: Role::Owner,
                secrets: self.0,
                members: 1,
                head: 1,
                updated_ms: 1,
            }]),
            Request::ListSecrets(_) => {
                let mut secrets: Vec<SecretMeta> = (0..self.0)
                    .map(|n| {
                        let (a, b, c) = (words[n % 10], words[n / 10 % 10], words[n / 100 % 10]);
                        SecretMeta {
                            name: SecretName::parse(&format!("{a}_{b}_{c}_{n:06}")).unwrap(),
                            version: 1 + (n % 7) as u32,
                            updated_ms: super::rig::NOW - n as u64 * 61_000,
                            updated_by: ["ada", "bob", "priya"][n % 3].into(),
                            created_ms: super::rig::NOW - n as u64 * 99_000,
                            created_by: "ada".into(),
                            exposed: n % 50 == 0,
                            rotate_every_s: None,
                        }
                    })
                    .collect();
                secrets.sort_by(|a, b| a.name.cmp(&b.name));
                Answer::ListSecrets(SecretList { role: Role::Owner, secrets, quarantined: Vec::new() })
            }
            _ => return Err(ServiceError::new(ErrorKind::Failure, "not here")),
        })
    }
}

fn driver(names: usize, theme: ThemeName) -> Driver {
    let theme = Theme::named(theme, true);
    let clip: Arc<Clip> = Arc::default();
    Driver::with_look(Arc::new(Many(names)), clip, (120, 40), super::rig::NOW, theme, None).unwrap()
}

#[test]
fn a_cursor_move_sends_at_most_300_bytes() {
    for theme in [ThemeName::Dark, ThemeName::Light, ThemeName::Sixteen, ThemeName::None] {
        let mut screen = driver(10_000, theme);
        let mut worst = 0;
        for _ in 0..30 {
            screen.key("j").unwrap();
            worst = worst.max(screen.bytes_sent());
        }
        println!("{theme:?}: {worst} bytes");
        assert!(worst <= 300, "{theme:?}: {worst} bytes");
    }
}

#[test]
fn a_key_in_a_hundred_thousand_names_is_quick() {
    let mut screen = driver(100_000, ThemeName::Dark);
    let mut times = Vec::new();
    screen.key("/").unwrap();
    for key in ["t", "o", "k", "e", "n", "1", "2", "backspace", "down", "down", "up", "pgdn", "pgup"] {
        let start = Instant::now();
        screen.key(key).unwrap();
        times.push((start.elapsed(), key));
    }
    times.sort();
    let worst = times.last().unwrap();
    println!("slowest key: {worst:?}, all: {times:?}");
    // A loose bound for a debug build on a busy machine; the figure itself is measured by benches/.
    assert!(worst.0.as_millis() < 3_000, "{worst:?}");
}

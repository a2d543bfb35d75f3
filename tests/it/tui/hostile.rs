//! Labels, names, warnings and errors that other people chose, and a start that fails.

use super::rig::{Clip, NOW, hides, name, shows};
use sealbox::domain::{Role, ScopeRef, SecretMeta, VersionMeta};
use sealbox::service::*;
use sealbox::tui::Driver;
use std::sync::Arc;

/// Escape, CSI, OSC 52, C1, bell, return, bidi, zero width, and a tower of marks.
fn evil() -> String {
    let marks = "\u{301}".repeat(10_000);
    format!("e\u{1b}[2J\u{1b}]52;c;eA==\u{7}\u{9b}31m\r\u{202e}\u{2066}\u{200b}\u{feff}\u{7f}z{marks}")
}

struct Hostile;

impl Service for Hostile {
    fn handle(&self, request: Request) -> Result<Answer, ServiceError> {
        let meta = SecretMeta {
            name: name("KEY"),
            version: 2,
            updated_ms: u64::MAX,
            updated_by: evil(),
            created_ms: 0,
            created_by: evil(),
            exposed: true,
            rotate_every_s: Some(1),
        };
        Ok(match request {
            Request::Status(_) => Answer::Status(StatusReport {
                state: VaultState::Unlocked,
                vault: evil(),
                store: evil(),
                organization: Some(evil()),
                me: Some(evil()),
                lock_in_s: Some(u64::MAX),
                lock: Default::default(),
                changes_by_others: 0,
                demo: true,
                warnings: vec![evil(), evil()],
            }),
            Request::ListScopes(_) => Answer::ListScopes(vec![ScopeInfo {
                scope: ScopeRef::Organization,
                label: evil(),
                id: evil(),
                role: Role::Owner,
                secrets: 1,
                members: 1,
                head: 1,
                updated_ms: u64::MAX,
            }]),
            Request::ListSecrets(_) => Answer::ListSecrets(SecretList {
                role: Role::Owner,
                secrets: vec![meta],
                quarantined: vec![evil()],
            }),
            Request::GetHistory(_) => Answer::GetHistory(History {
                role: Role::Owner,
                versions: [2, 1]
                    .map(|version| VersionMeta {
                        version,
                        updated_ms: u64::MAX,
                        updated_by: evil(),
                        current: version == 2,
                        kept: true,
                    })
                    .into(),
            }),
            Request::ListMembers(_) => Answer::ListMembers(vec![MemberInfo {
                label: evil(),
                id: evil(),
                role: None,
                machine: true,
                me: false,
                since_ms: u64::MAX,
                granted_by: evil(),
            }]),
            Request::GetLog(_) => Answer::GetLog(vec![LogEvent {
                scope: ScopeRef::Organization,
                seq: u64::MAX,
                time_ms: u64::MAX,
                author: evil(),
                action: evil(),
                subject: Some(evil()),
                version: Some(u32::MAX),
                role: Some(Role::Run),
                hash: evil(),
                rotate_every_s: Some(u64::MAX),
                read: Some(ReadFacts {
                    code: sealbox::domain::ReadCode::Unreadable,
                    names: vec![name("KEY"), name("OTHER")],
                    host: evil(),
                    program: evil(),
                }),
            }]),
            Request::MyId(_) => Answer::MyId(evil()),
            _ => return Err(ServiceError::new(ErrorKind::Failure, evil()).hint(evil())),
        })
    }
}

#[test]
fn text_from_others_is_escaped_on_every_screen() {
    for size in [(40, 12), (80, 24), (140, 40)] {
        for keys in [
            &[][..],
            &["enter"],
            &["h"],
            &["h", "j", "b", "y"],
            &["d"],
            &["x"],
            &["y"],
            &["e", "a", "enter", "a", "enter"],
            &["v"],
            &["i"],
            &["p"],
            &["2"],
            &["3"],
            &["3", "enter"],
            &["3", "e"],
            &["3", "d"],
            &["3", "d", "y"],
            &["3", "p"],
            &["4"],
            &["4", "enter"],
            &["4", "/", "e"],
            &[":"],
        ] {
            let clip: Arc<Clip> = Arc::default();
            let mut screen = Driver::new(Arc::new(Hostile), clip, size, NOW).unwrap();
            screen.pass(500).unwrap();
            for key in keys {
                screen.key(key).unwrap();
            }
            screen.pass(500).unwrap();
            let text = screen.screen();
            let bad = text.chars().find(|c| {
                let hidden = ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}'].contains(c);
                *c != '\n' && (c.is_control() || hidden)
            });
            assert_eq!(bad, None, "{keys:?} at {size:?}:\n{text}");
            assert!(text.matches('\u{301}').count() < 2_000, "{keys:?} keeps the tower of marks");
        }
    }
}

struct Broken;

impl Service for Broken {
    fn handle(&self, _: Request) -> Result<Answer, ServiceError> {
        let error = ServiceError::new(ErrorKind::Damaged, "the store is newer than this program");
        Err(error.hint("upgrade sealbox"))
    }
}

#[test]
fn a_vault_that_cannot_be_opened_says_why_and_lets_one_leave() {
    let clip: Arc<Clip> = Arc::default();
    let mut screen = Driver::new(Arc::new(Broken), clip, (80, 24), NOW).unwrap();
    shows(&screen, "the store is newer than this program");
    shows(&screen, "upgrade sealbox");
    hides(&screen, "NAME");
    screen.key("q").unwrap();
    assert!(screen.has_quit());
}

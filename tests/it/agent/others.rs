//! What else may be at the socket: agents of other versions, of other vaults, things that are no agent, and agents that die
//! in the middle.

use super::{Desk, alive, until};
use crate::env::TestEnv;
use sealbox::agent::protocol::{Hello, MAX_FRAME, MAX_HELLO, PATIENCE, Welcome, frame, receive, send};
use sealbox::agent::socket;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Something that greets as `welcome` says and then does as `after` says with each connection that does not stop it.
fn fake(desk: &Desk, welcome: Welcome, after: impl Fn(UnixStream) + Send + 'static) -> Arc<AtomicUsize> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(desk.runtime()).unwrap();
    let path = desk.socket();
    let listener = UnixListener::bind(&path).unwrap();
    let stops = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&stops);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let Ok(Some(hello)) = receive(&stream, MAX_HELLO, PATIENCE, None) else { continue };
            let hello = Hello::parse(&hello).unwrap();
            send(&stream, &frame(&welcome).unwrap()).unwrap();
            if hello.stop {
                count.fetch_add(1, Ordering::SeqCst);
                std::fs::remove_file(&path).unwrap();
                return; // as a process that ends: everything is closed
            }
            after(stream);
        }
    });
    stops
}

#[test]
fn an_agent_of_another_version_is_ended_and_nobody_is_locked_out() {
    for (version, protocol) in [("0.0.9", 0), (env!("CARGO_PKG_VERSION"), 77), ("9.0.0", 1)] {
        let desk = Desk::new();
        let welcome = Welcome { version: version.to_owned(), protocol, ..Welcome::new(&desk.env.vault()) };
        let stops = fake(&desk, welcome, drop);
        desk.env.run(&["unlock"]).ok().says("was ended: the vault must be unlocked again");
        assert_eq!(stops.load(Ordering::SeqCst), 1);
        assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    }
}

#[test]
fn locking_and_stopping_work_across_versions() {
    for args in [&["lock"][..], &["agent", "stop"]] {
        let desk = Desk::new();
        let welcome = Welcome { protocol: 9, ..Welcome::new(&desk.env.vault()) };
        let stops = fake(&desk, welcome, drop);
        desk.run(args).ok();
        assert_eq!(stops.load(Ordering::SeqCst), 1, "{args:?}");
    }
    // and the other way round: a client from the future ends ours
    let desk = Desk::new();
    desk.unlock();
    let pid = desk.pid().unwrap();
    let greet = |stop| {
        let stream = socket::connect(&desk.paths()).unwrap();
        let hello = Hello { version: "99.0.0".into(), protocol: 99, ..Hello::new(&desk.env.vault(), stop) };
        send(&stream, &frame(&hello).unwrap()).unwrap();
        let welcome = receive(&stream, MAX_HELLO, PATIENCE, None).unwrap().unwrap();
        assert_eq!(Welcome::parse(&welcome).unwrap().pid, u32::try_from(pid).unwrap());
        assert!(receive(&stream, MAX_FRAME, PATIENCE, None).unwrap().is_none(), "and not a word more");
    };
    greet(false);
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
    greet(true);
    until("it has ended", || !alive(pid));
}

#[test]
fn the_agent_of_another_vault_is_left_alone() {
    let desk = Desk::new();
    desk.unlock();
    // the same runtime folder, other data
    let other = TestEnv::with_vault();
    let mut command = other.command(&["list"]);
    command.env("XDG_RUNTIME_DIR", desk.env.root().join("run")).env_remove("SEALBOX_NO_AGENT");
    let ran = crate::env::Ran::of(command, b"").ok();
    assert_eq!(ran.stderr.matches("holds another vault").count(), 1, "{}", ran.stderr);
    assert!(!ran.text().contains("API_KEY"));
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value", "it still has its own");
}

#[test]
fn what_is_no_agent_is_gone_around() {
    let desk = Desk::new();
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(desk.runtime()).unwrap();
    let listener = UnixListener::bind(desk.socket()).unwrap();
    std::thread::spawn(move || {
        use std::io::Write;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = receive(&stream, MAX_HELLO, PATIENCE, None);
            let _ = stream.write_all(b"\0\0\0\x05hello");
        }
    });
    let ran = desk.env.run(&["get", "API_KEY"]).ok().says("no agent of sealbox");
    assert_eq!(ran.text(), "canary-value");
}

#[test]
fn an_agent_that_dies_in_the_middle_of_a_write_leaves_no_doubt_unsaid() {
    use sealbox::service::{Answer, LockReport, Request, ServiceError, StatusReport, VaultState};
    let desk = Desk::new();
    let vault = desk.env.vault();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let said = vault.display().to_string();
    fake(&desk, Welcome::new(&vault), move |stream| {
        while let Ok(Some(bytes)) = receive(&stream, MAX_FRAME, PATIENCE, None) {
            let Ok(Request::Status(_)) = serde_json::from_slice::<Request>(&bytes) else {
                count.fetch_add(1, Ordering::SeqCst);
                return;
            };
            let report = StatusReport {
                state: VaultState::Unlocked,
                vault: said.clone(),
                store: String::new(),
                organization: None,
                me: None,
                lock_in_s: None,
                lock: LockReport::default(),
                changes_by_others: 0,
                demo: false,
                warnings: Vec::new(),
            };
            let answer: Result<Answer, ServiceError> = Ok(Answer::Status(report));
            send(&stream, &frame(&answer).unwrap()).unwrap();
        }
    });
    desk.run(&["project", "create", "billing"])
        .code(1)
        .says("it was done, or nothing of it was")
        .says("sealbox log");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a write is never sent twice");
    desk.run(&["get", "API_KEY"]).code(11).says("sealbox unlock");
    assert!(asked.load(Ordering::SeqCst) >= 3, "a question is asked once more");
}

#[test]
fn an_agent_that_is_just_ending_is_none_and_no_reason_for_a_warning() {
    for greets in [false, true] {
        let desk = Desk::new();
        let vault = desk.env.vault();
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(desk.runtime()).unwrap();
        let (path, listener) = (desk.socket(), UnixListener::bind(desk.socket()).unwrap());
        let ending = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            receive(&stream, MAX_HELLO, PATIENCE, None).unwrap();
            if greets {
                send(&stream, &frame(&Welcome::new(&vault)).unwrap()).unwrap();
            }
            std::fs::remove_file(path).unwrap();
        });
        let ran = desk.env.run(&["get", "API_KEY"]).ok();
        assert_eq!((ran.text(), ran.stderr.as_str()), ("canary-value", ""));
        ending.join().unwrap();
    }
}

//! What others can see of a running program: its argument list and environment hold no value and no passphrase, also
//! while it waits for its input; and memory-related doors are shut (R18, R38, R39 as far as a test can see them).

use crate::agent::{Desk, until};
use crate::env::{BINARY, PASSPHRASE, TestEnv, holds};
use base64::{Engine, engine::general_purpose::STANDARD};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::process::{Child, Stdio};

const CANARY: &str = "CANARY-5d17-held-by-a-process-e2";

fn shapes(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let hex = sealbox::domain::scope::hex(bytes).into_bytes();
    let base64 = STANDARD.encode(bytes).trim_end_matches('=').as_bytes().to_vec();
    vec![bytes.to_vec(), reversed, hex, base64]
}

#[track_caller]
fn holds_none(place: &str, bytes: &[u8]) {
    for shape in shapes(CANARY).iter().chain(&shapes(PASSPHRASE)) {
        assert!(!holds(bytes, shape), "{place} holds a secret");
    }
}

/// A `set` that has been given half of its value and waits for the rest.
fn waiting(env: &TestEnv) -> Child {
    let mut command = env.command(&["set", "API_KEY", "-v"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(CANARY.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(400));
    child
}

#[cfg(target_os = "linux")]
#[test]
fn a_running_set_shows_no_value_in_its_arguments_or_environment() {
    let env = TestEnv::with_vault();
    let child = waiting(&env);
    let proc = |what: &str| std::fs::read(format!("/proc/{}/{what}", child.id()));
    let arguments = proc("cmdline").unwrap();
    assert!(holds(&arguments, b"API_KEY"), "it is the right process, and it is still running");
    holds_none("the argument list", &arguments);
    // unreadable is fine as well: a process that is not dumpable belongs to root
    holds_none("the environment", &proc("environ").unwrap_or_default());
    holds_none("the name", &proc("comm").unwrap());
    let limits = String::from_utf8(proc("limits").unwrap_or_default()).unwrap();
    if let Some(core) = limits.lines().find(|line| line.starts_with("Max core file size")) {
        assert!(core.split_whitespace().nth(4) == Some("0"), "core dumps are possible: {core}");
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    holds_none("stdout", &output.stdout);
    holds_none("stderr", &output.stderr);
    assert_eq!(env.run(&["get", "API_KEY"]).ok().text(), CANARY);
}

/// The programs of this machine whose `what` holds the canary, by their first word.
#[cfg(target_os = "linux")]
fn holders(what: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut found: Vec<String> = processes
        .filter(|process| {
            let bytes = std::fs::read(process.path().join(what)).unwrap_or_default();
            shapes(CANARY).iter().any(|shape| holds(&bytes, shape))
        })
        .map(|process| {
            let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(words.split(|byte| *byte == 0).next().unwrap()).into_owned()
        })
        .collect();
    found.sort();
    found
}

#[cfg(target_os = "linux")]
#[test]
fn of_all_processes_only_the_programs_that_run_started_have_a_value_in_their_environment() {
    let desk = Desk::new();
    desk.env.run_with(&["set", "HELD"], CANARY.as_bytes()).ok();
    desk.unlock();
    // one on pipes, one on a terminal, both through the agent; the names are those of nobody else
    for name in ["on-pipes", "on-terminal"] {
        let script = "echo begun; read line; test \"$HELD\" = \"$line\"\n";
        std::fs::write(desk.env.work().join(name), script).unwrap();
    }
    let mut piped = desk.env.command(&["run", "--", "sh", "./on-pipes"]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(BINARY);
    command.args(["run", "--", "bash", "./on-terminal"]);
    command.env_clear();
    for (name, value) in desk.env.environment() {
        command.env(name, value);
    }
    command.cwd(desk.env.work());
    let mut on_terminal = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut screen = pty.master.try_clone_reader().unwrap();
    std::thread::spawn(move || std::io::copy(&mut screen, &mut std::io::sink()));

    until("both programs run", || holders("environ") == ["bash", "sh"]);
    assert_eq!(holders("cmdline"), Vec::<String>::new());
    assert_eq!(holders("comm"), Vec::<String>::new());

    // each ends well only if what it was given is the value
    writeln!(piped.stdin.take().unwrap(), "{CANARY}").unwrap();
    let mut said = String::new();
    piped.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((said.as_str(), piped.wait().unwrap().code()), ("begun\n", Some(0)));
    let mut keyboard = pty.master.take_writer().unwrap();
    write!(keyboard, "{CANARY}\r").unwrap();
    assert_eq!(on_terminal.wait().unwrap().exit_code(), 0);
    assert_eq!(holders("environ"), Vec::<String>::new());
}

#[test]
fn a_value_or_passphrase_given_as_an_argument_is_refused_and_not_repeated() {
    let env = TestEnv::with_vault();
    for args in [
        &["set", "API_KEY", CANARY][..],
        &["set", "API_KEY", CANARY, "-v", "--json"],
        &["set", CANARY],
        &["get", CANARY],
        &["delete", CANARY, "--yes"],
        &["history", CANARY, "-v"],
        &["set", "API_KEY", "--value", CANARY],
        &["set", "API_KEY", &format!("--passphrase={CANARY}")],
        &["join", CANARY],
        &["member", "add", CANARY, "--label", "x", "--role", "read"],
    ] {
        let ran = env.run(args);
        assert_ne!(ran.code, 0, "{args:?}");
        holds_none(&format!("stderr of {:?}", args[0]), ran.stderr.as_bytes());
        holds_none("stdout", &ran.stdout);
    }
}

#[test]
fn a_panic_tells_nothing_of_what_was_being_handled() {
    let outcome = std::panic::catch_unwind(|| {
        let value = sealbox::domain::SecretValue::new(CANARY.into()).unwrap();
        // a slip of a programmer: what he could write compiles without Debug, and holds no value
        assert!(value.len() == 1, "wrong length: {}", value.len());
    });
    let text = outcome.unwrap_err().downcast::<String>().unwrap();
    holds_none("the panic", text.as_bytes());
}

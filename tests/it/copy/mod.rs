//! Copying with the real program: on a real X display, in real tmux and screen sessions, through a program of the
//! person's own, and where there is nothing to copy to. A test whose tool is missing says loudly that it did not run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod desk;
mod program;
mod sessions;

use crate::env::TestEnv;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(super) const CANARY: &str = "CANARY-9c4e-on-a-clipboard";
const PATIENCE: Duration = Duration::from_secs(15);

/// A vault with one secret, and no clipboard of any kind around it.
pub(super) fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "API_KEY"], CANARY.as_bytes()).ok();
    env
}

/// True if all of these programs are there; else it says so past the test's captured output.
pub(super) fn have(programs: &[&str]) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = |name: &str| std::env::split_paths(&paths).any(|folder| folder.join(name).is_file());
    let missing: Vec<&str> = programs.iter().copied().filter(|name| !found(name)).collect();
    if !missing.is_empty() {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let _ = writeln!(std::io::stderr(), "NOT RUN: {test}: {} not installed", missing.join(", "));
    }
    missing.is_empty()
}

/// Waits until something is so.
#[track_caller]
pub(super) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Helpers of ours whose arguments hold these words, as process numbers.
pub(super) fn helpers(words: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(line) = std::fs::read(entry.path().join("cmdline")) else { continue };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.split_once(' ').is_some_and(|(_, rest)| rest.starts_with("clipboard-holder"))
            && line.contains(words)
        {
            found.push(pid);
        }
    }
    found
}

/// A program on a terminal of its own; everything that the terminal was sent is kept.
pub(super) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    sent: Arc<Mutex<Vec<u8>>>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    pub(super) fn open(env: &TestEnv, program: &str, args: &[&str], vars: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 24, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for (name, value) in env.environment() {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        for (name, value) in vars {
            if value.is_empty() { command.env_remove(name) } else { command.env(name, value) }
        }
        command.cwd(env.work());
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, seen) = (pty.master.try_clone_reader().unwrap(), Arc::clone(&sent));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                seen.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        let writer = pty.master.take_writer().unwrap();
        Self { child, writer, sent, _master: pty.master }
    }

    pub(super) fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    pub(super) fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }

    /// Waits until the terminal was sent this.
    #[track_caller]
    pub(super) fn gets(&self, bytes: &[u8]) {
        until(&format!("{:?}", String::from_utf8_lossy(bytes)), || {
            crate::env::holds(&self.sent(), bytes).then_some(())
        });
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        let pid =
            rustix::process::Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        self.child.wait().unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

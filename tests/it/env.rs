//! A hermetic place to run the real binary in: its own HOME and XDG folders, a cleared environment, no questions.
//!
//! `TestEnv::new()` is an empty machine, `TestEnv::with_vault()` has a vault of the organization "acme" whose owner
//! is "ada". `Ran` holds what came out; its methods panic with everything that was said.
#![allow(dead_code, reason = "each room uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    ffi::OsStr,
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_sealbox");

/// The passphrase of every vault that is made here.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// One person's machine.
pub(crate) struct TestEnv {
    root: tempfile::TempDir,
    extra: Vec<(String, String)>,
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) what: String,
}

impl TestEnv {
    /// An empty HOME with a passphrase file that is named in the environment.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("sealbox-test-").tempdir().unwrap();
        let env = Self { root, extra: Vec::new() };
        for folder in ["home", "data", "state", "config", "run", "work"] {
            let path = env.root.path().join(folder);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        env.private_file("passphrase", format!("{PASSPHRASE}\n").as_bytes());
        env
    }

    /// A vault of "acme", owned by "ada"; its recovery key is in `recovery.txt` of the working folder.
    pub(crate) fn with_vault() -> Self {
        let env = Self::new();
        env.run(&["init", "--org", "acme", "--name", "ada", "--recovery-key-file", "recovery.txt"]).ok();
        env
    }

    /// Sets one more environment variable for every run.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.extra.retain(|(known, _)| known != name);
        self.extra.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Everything of this machine lies below.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The folder in which commands run.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// The folder of the default vault.
    pub(crate) fn vault(&self) -> PathBuf {
        self.root.path().join("data/sealbox")
    }

    /// The store of the default vault.
    pub(crate) fn store(&self) -> PathBuf {
        self.vault().join("store.db")
    }

    /// The file that `SEALBOX_PASSPHRASE_FILE` names.
    pub(crate) fn passphrase_file(&self) -> PathBuf {
        self.work().join("passphrase")
    }

    /// Writes a file (0600) into the working folder.
    pub(crate) fn private_file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The whole environment of a run: nothing is inherited but PATH.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let at = |folder: &str| self.root.path().join(folder).to_string_lossy().into_owned();
        let mut all: Vec<(String, String)> = [
            ("HOME", at("home")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_STATE_HOME", at("state")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("TMPDIR", at("run")),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("SEALBOX_NO_INPUT", "1".to_owned()),
            ("SEALBOX_NO_AGENT", "1".to_owned()), // the agent's own tests take it away
            ("SEALBOX_PASSPHRASE_FILE", self.passphrase_file().to_string_lossy().into_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (name, value) in &self.extra {
            all.retain(|(known, _)| known != name);
            if value != "<unset>" {
                all.push((name.clone(), value.clone()));
            }
        }
        all
    }

    /// The command, ready to be changed further; stdin is empty.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args).env_clear().envs(self.environment()).current_dir(self.work());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs with an empty stdin.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        self.run_with(args, b"")
    }

    /// Runs with these bytes on stdin.
    pub(crate) fn run_with<S: AsRef<OsStr>>(&self, args: &[S], stdin: &[u8]) -> Ran {
        Ran::of(self.command(args), stdin)
    }
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(mut command: Command, stdin: &[u8]) -> Self {
        let what = format!("{:?}", command.get_args().collect::<Vec<_>>());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let bytes = stdin.to_vec();
        let feeder = std::thread::spawn(move || {
            let _ = pipe.write_all(&bytes); // the program may end before it has read everything
        });
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
            what,
        }
    }

    /// It must have ended with this code.
    #[track_caller]
    pub(crate) fn code(self, wanted: i32) -> Self {
        assert_eq!(
            self.code,
            wanted,
            "{} ended with {}\nstdout: {}\nstderr: {}",
            self.what,
            self.code,
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        );
        self
    }

    /// It must have worked.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.code(0)
    }

    /// stdout as text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// stdout as JSON, with its schema version checked.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let value: serde_json::Value = serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{} printed no JSON ({error}): {}", self.what, self.text()));
        assert_eq!(value["schema_version"], 1, "{}", self.what);
        value
    }

    /// stderr as the JSON of an error; stdout must be empty.
    #[track_caller]
    pub(crate) fn json_error(&self) -> serde_json::Value {
        assert_eq!(self.text(), "", "{} printed data and an error", self.what);
        let value: serde_json::Value = serde_json::from_str(&self.stderr)
            .unwrap_or_else(|error| panic!("{} gave no JSON error ({error}): {}", self.what, self.stderr));
        assert_eq!(value["schema_version"], 1);
        value["error"].clone()
    }

    /// stderr must hold this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{}: {text:?} is not in stderr: {}", self.what, self.stderr);
        self
    }
}

/// Every regular file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            found.extend(files_below(&path));
        } else if kind.is_file() {
            found.push(path);
        }
    }
    found
}

/// True if `needle` occurs in `haystack`.
pub(crate) fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

//! The user's editor on a secret, without leaving the secret anywhere (SPEC R40).
//!
//! Owns the file in memory-backed storage (tmpfs), the flags that keep editors from making swap, undo and backup files,
//! and the cleaning up, which happens on every way out, panics included. It does not know which secret it is. Limit:
//! tmpfs may be swapped to disk by a system without encrypted swap.

use super::files;
use crate::domain::SecretValue;
use crate::domain::value::MAX_VALUE;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Why a value was not edited; the old one stays.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// Neither the runtime folder nor /dev/shm is in memory.
    #[error(
        "no memory-backed folder for the editor's file (a tmpfs at $XDG_RUNTIME_DIR or /dev/shm); use `sealbox set NAME --from-file -`"
    )]
    NoMemoryFolder,
    /// The editor cannot be started.
    #[error("the editor {name} cannot be started: {source}; set $VISUAL or $EDITOR")]
    Start {
        /// The command, escaped.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The editor ended with a failure.
    #[error("the editor ended with {0}; the value was not changed")]
    Failed(ExitStatus),
    /// The edited file is too long.
    #[error("the edited value is longer than 1 MiB; the value was not changed")]
    TooLong,
    /// The file could not be written or read.
    #[error("the editor's file: {0}")]
    Io(#[from] io::Error),
}

/// `$VISUAL`, `$EDITOR`, else `vi`.
pub fn chosen(env: &dyn Fn(&str) -> Option<OsString>) -> OsString {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| OsString::from("vi"))
}

/// Lets the person edit a value; `None` if it was not changed. If the value had no line break at its end, the one that
/// editors add is removed again.
pub fn edit(
    initial: &SecretValue,
    runtime_dir: &Path,
    editor: &OsStr,
) -> Result<Option<SecretValue>, EditorError> {
    let base = memory_folder(runtime_dir)?;
    edit_in(&base, initial, editor)
}

fn edit_in(base: &Path, initial: &SecretValue, editor: &OsStr) -> Result<Option<SecretValue>, EditorError> {
    let room = Room::new(base)?;
    let file = room.0.join("value");
    files::create_private_new(&file, initial.expose())?;
    let started = command(editor, &file).status();
    let status = started.map_err(|source| EditorError::Start {
        name: crate::domain::printable::line(&editor.to_string_lossy()),
        source,
    })?;
    if !status.success() {
        return Err(EditorError::Failed(status));
    }
    let mut bytes = match files::read_private(&file, MAX_VALUE + 1) {
        Ok((bytes, _)) => bytes,
        Err(e) if e.kind() == ErrorKind::FileTooLarge => return Err(EditorError::TooLong),
        Err(e) => return Err(e.into()),
    };
    if !initial.expose().ends_with(b"\n") && bytes.ends_with(b"\n") {
        bytes.pop();
    }
    if bytes.as_slice() == initial.expose() {
        return Ok(None);
    }
    SecretValue::new(std::mem::take(&mut *bytes)).map(Some).map_err(|_| EditorError::TooLong)
}

/// The runtime folder if it is in memory, else /dev/shm if that is.
pub(super) fn memory_folder(runtime_dir: &Path) -> Result<PathBuf, EditorError> {
    if files::private_dir(runtime_dir).is_ok() && files::in_memory(runtime_dir) {
        return Ok(runtime_dir.to_owned());
    }
    let shared = Path::new("/dev/shm");
    if files::in_memory(shared) { Ok(shared.to_owned()) } else { Err(EditorError::NoMemoryFolder) }
}

/// A fresh folder of ours; everything in it is wiped on drop, also what the editor left there.
struct Room(PathBuf);

impl Room {
    fn new(base: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("sealbox-edit-").tempdir_in(base)?.keep();
        let room = Self(folder);
        files::private_dir(&room.0)?;
        Ok(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        wipe_folder(&self.0, 8);
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Overwrites and removes the files of a folder; one that has another name too, perhaps elsewhere, is left to be
/// removed only.
pub(super) fn wipe_folder(folder: &Path, depth: u32) {
    let has_one_name = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|found| found.nlink() == 1);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_file() && has_one_name(&entry.path()) => {
                let _ = files::remove_wiped(&entry.path());
            }
            Ok(kind) if kind.is_dir() && depth > 0 => wipe_folder(&entry.path(), depth - 1),
            _ => {}
        }
    }
}

/// The editor on a file. A command with spaces is run by the shell, as git does; its flags are the user's business then.
fn command(editor: &OsStr, file: &Path) -> Command {
    let mut command = if editor.as_bytes().iter().any(u8::is_ascii_whitespace) {
        let mut line = editor.to_owned();
        line.push(" \"$@\"");
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(line).arg("sealbox");
        shell
    } else {
        Command::new(editor)
    };
    command.args(private_flags(&program(editor))).arg(file);
    // the editor needs the terminal even if our stdin or stdout is a pipe
    if !super::tty::stdin_is_terminal()
        && let Ok(tty) = super::tty::open()
    {
        command.stdin(Stdio::from(tty));
    }
    if !super::tty::stdout_is_terminal()
        && let Ok(tty) = super::tty::open()
    {
        command.stdout(Stdio::from(tty));
    }
    command
}

/// The name of the program that really runs: `vi` is a link to vim here, to busybox there.
fn program(editor: &OsStr) -> String {
    let first = editor.as_bytes().split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
    let first = Path::new(OsStr::from_bytes(first.unwrap_or_default()));
    let found = if first.components().count() > 1 {
        Some(first.to_owned())
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|folder| folder.join(first)).find(|file| file.is_file())
    };
    let real = found.and_then(|file| file.canonicalize().ok()).unwrap_or_else(|| first.to_owned());
    real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Flags that turn off swap, undo, backup and history files. `-c` again, because a vimrc runs after `--cmd`.
fn private_flags(program: &str) -> &'static [&'static str] {
    const VIM: &[&str] = &[
        "-n",
        "-i",
        "NONE",
        "--cmd",
        "set noswapfile nobackup nowritebackup noundofile viminfo=",
        "-c",
        "set noswapfile nobackup nowritebackup noundofile viminfo=",
    ];
    match program {
        name if name.starts_with("vim") || name.starts_with("nvim") || name == "gvim" => VIM,
        name if name.starts_with("emacs") && !name.starts_with("emacsclient") => {
            &["--eval", "(setq make-backup-files nil auto-save-default nil create-lockfiles nil)"]
        }
        "nano" => &["--ignorercfiles"],
        "micro" => {
            &["-backup", "false", "-savehistory", "false", "-saveundo", "false", "-savecursor", "false"]
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn value(bytes: &[u8]) -> SecretValue {
        SecretValue::new(bytes.to_vec()).unwrap()
    }

    /// Runs a shell script as the editor; `$1` is the file. Returns the outcome and what is left in the folder.
    fn run(initial: &[u8], script: &str) -> (Result<Option<SecretValue>, EditorError>, usize) {
        let home = tempfile::tempdir().unwrap();
        let (bin, base) = (home.path().join("my-editor"), home.path().join("run"));
        std::fs::create_dir(&base).unwrap();
        std::fs::write(&bin, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&bin, std::fs::Permissions::from_mode(0o755)).unwrap();
        // through a shell: executing a file that was just written can fail while another test forks
        let editor = OsString::from(format!("/bin/sh {}", bin.display()));
        let edited = edit_in(&base, &value(initial), &editor);
        (edited, std::fs::read_dir(&base).unwrap().count())
    }

    #[test]
    fn an_edited_value_comes_back_and_nothing_is_left() {
        let (edited, left) = run(b"old", "grep -q old \"$1\" && printf 'new\\n' > \"$1\"");
        assert_eq!(edited.unwrap().unwrap().expose(), b"new");
        assert_eq!(left, 0);
    }

    #[test]
    fn the_line_break_that_editors_add_is_removed_only_if_there_was_none() {
        let (edited, _) = run(b"line\n", "printf 'other\\n' > \"$1\"");
        assert_eq!(edited.unwrap().unwrap().expose(), b"other\n");
        let (edited, _) = run(b"same", "printf 'same\\n' > \"$1\"");
        assert!(edited.unwrap().is_none());
    }

    #[test]
    fn an_unchanged_value_is_none() {
        assert!(run(&[0xff, 0, b'\n'], "true").0.unwrap().is_none());
    }

    #[test]
    fn the_file_and_its_folder_are_private() {
        let script =
            "test \"$(stat -c %a \"$1\")\" = 600 && test \"$(stat -c %a \"$(dirname \"$1\")\")\" = 700";
        assert!(run(b"x", script).0.unwrap().is_none());
    }

    #[test]
    fn a_failing_editor_changes_nothing_and_leaves_nothing() {
        let (edited, left) = run(b"old", "echo new > \"$1\"; echo swap > \"$1.swp\"; mkdir \"$1.d\"; exit 3");
        assert!(matches!(edited, Err(EditorError::Failed(_))));
        assert_eq!(left, 0);
    }

    #[test]
    fn a_file_that_was_removed_replaced_by_a_link_or_grew_too_long_is_an_error() {
        assert!(matches!(run(b"x", "rm \"$1\"").0, Err(EditorError::Io(_))));
        assert!(matches!(run(b"x", "ln -sf /etc/passwd \"$1\"").0, Err(EditorError::Io(_))));
        let (edited, left) = run(b"x", "head -c 1048578 /dev/zero > \"$1\"");
        assert!(matches!(edited, Err(EditorError::TooLong)));
        assert_eq!(left, 0);
    }

    #[test]
    fn an_editor_that_is_not_there_is_named() {
        let home = tempfile::tempdir().unwrap();
        let error =
            edit_in(home.path(), &value(b"x"), OsStr::new("/no/such\u{1b}editor")).err().unwrap().to_string();
        assert!(error.contains("/no/such^[editor") && error.contains("$EDITOR"), "{error}");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_room_is_cleaned_on_panic() {
        let home = tempfile::tempdir().unwrap();
        let base = home.path().to_owned();
        let died = std::thread::spawn(move || {
            let room = Room::new(&base).unwrap();
            std::fs::write(room.0.join("value"), "secret").unwrap();
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn editors_are_told_to_keep_no_copies() {
        assert!(private_flags("vim.basic").contains(&"-n") && private_flags("nvim").contains(&"NONE"));
        assert!(private_flags("busybox").is_empty() && private_flags("emacsclient").is_empty());
        let vars = |visual: &'static str, editor: &'static str| {
            chosen(&move |name| Some(OsString::from(if name == "VISUAL" { visual } else { editor })))
        };
        assert_eq!(vars("", "nano"), "nano");
        assert_eq!(vars("hx", "nano"), "hx");
        assert_eq!(chosen(&|_| None), "vi");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_memory_is_used() {
        let disk = Path::new(env!("CARGO_MANIFEST_DIR"));
        if files::in_memory(disk) {
            return; // the whole checkout is in memory: there is nothing to tell apart
        }
        assert!(!files::in_memory(disk));
        if files::in_memory(Path::new("/dev/shm")) {
            let home = tempfile::tempdir_in(disk.join("target")).unwrap();
            let runtime = home.path().join("run");
            assert_eq!(memory_folder(&runtime).unwrap(), Path::new("/dev/shm"));
        }
    }
}

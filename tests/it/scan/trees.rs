//! Folders of every kind: what is ignored, what is hostile, what cannot be read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::leaks_of;
use sealbox::domain::Reference;
use sealbox::scan::{Finding, Limits, Progress, Report, Wanted, What, scan};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LEAK: &str = "tr33-Canary-0042";

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn look(roots: &[PathBuf], limits: &Limits) -> Report {
    let wanted = Wanted { references: true, ..leaks_of(&[LEAK.as_bytes()]) };
    scan(roots, &wanted, limits, &Progress::default())
}

fn look_at(folder: &Path) -> Report {
    look(&[folder.to_owned()], &Limits::default())
}

/// Paths with findings, below the folder.
fn paths(report: &Report, folder: &Path) -> Vec<String> {
    let below = |path: &Path| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    report.files.iter().map(|file| below(&file.path)).collect()
}

#[test]
fn what_gitignore_leaves_out_is_not_read_and_hidden_files_are() {
    let folder = tree(&[
        (".gitignore", "*.log\n/out/\n"),
        ("a.txt", LEAK),
        ("b.log", LEAK),
        ("out/c", LEAK),
        ("sub/.gitignore", "!kept.log\nx\n"),
        ("sub/kept.log", LEAK),
        ("sub/x", LEAK),
        (".env", LEAK),
        (".hidden/d", LEAK),
        (".ignore", "e.txt\n"),
        ("e.txt", LEAK),
        (".git/config", LEAK),
        ("sub/.git/objects/f", LEAK),
    ]);
    let report = look_at(folder.path());
    assert_eq!(paths(&report, folder.path()), [".env", ".hidden/d", "a.txt", "sub/kept.log"]);
    let all = look(&[folder.path().into()], &Limits { ignored_too: true, ..Limits::default() });
    let expected = [".env", ".hidden/d", "a.txt", "b.log", "e.txt", "out/c", "sub/kept.log", "sub/x"];
    assert_eq!(paths(&all, folder.path()), expected);
    assert!(report.complete && report.unread.is_empty());
}

#[test]
fn a_file_that_is_named_is_read_though_it_is_ignored() {
    let folder = tree(&[(".gitignore", "*\n"), (".env", LEAK)]);
    assert!(look_at(folder.path()).files.is_empty());
    assert_eq!(look_at(&folder.path().join(".env")).files.len(), 1);
}

#[test]
fn findings_say_line_and_column_and_come_in_the_order_of_paths_and_lines() {
    let text =
        format!("one\né {{{{$secret.API_KEY}}}} {LEAK}\n{{{{ vault.DB_URL }}}} {{{{{{$secret.NO}}}}}}\n");
    let folder = tree(&[("b", &text), ("a", LEAK)]);
    let report = look_at(folder.path());
    assert_eq!(paths(&report, folder.path()), ["a", "b"]);
    let places: Vec<_> = report.files[1].findings.iter().map(|f: &Finding| f.place.unwrap()).collect();
    assert_eq!(places, [(2, 3), (2, 23), (3, 1)]);
    let name = |n: usize| match &report.files[1].findings[n].what {
        What::Reference(Reference::Secret(name)) => name.as_str().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!((name(0).as_str(), name(2).as_str()), ("API_KEY", "DB_URL"));
    assert_eq!((report.scanned, report.bytes), (2, (text.len() + LEAK.len()) as u64));
}

#[test]
fn in_a_binary_file_leaks_are_looked_for_and_references_are_not() {
    let text = format!("\0\0{{{{$secret.API_KEY}}}}\n{LEAK}");
    let folder = tree(&[("core", &text)]);
    let report = look_at(folder.path());
    let findings = &report.files[0].findings;
    assert_eq!(findings.len(), 1);
    assert!(matches!(findings[0].what, What::Leak { .. }));
    assert_eq!((findings[0].place, findings[0].offset), (None, 22));
}

#[test]
fn links_are_not_followed_unless_they_were_named() {
    let other = tree(&[("secret", LEAK)]);
    let folder = tree(&[("a", "nothing")]);
    symlink(other.path(), folder.path().join("folder")).unwrap();
    symlink(other.path().join("secret"), folder.path().join("file")).unwrap();
    symlink("loop", folder.path().join("loop")).unwrap();
    let report = look_at(folder.path());
    assert!(report.files.is_empty() && report.unread.is_empty(), "{report:?}");
    assert_eq!(look_at(&folder.path().join("file")).files.len(), 1);
}

#[test]
fn a_fifo_and_a_socket_hold_nothing_up() {
    let folder = tree(&[("z", LEAK)]);
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, folder.path().join("fifo"), rustix::fs::FileType::Fifo, mode, 0)
        .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let start = Instant::now();
    let report = look_at(folder.path());
    assert_eq!(paths(&report, folder.path()), ["z"]);
    assert!(report.unread.is_empty() && start.elapsed() < Duration::from_secs(5));
    assert!(look_at(&folder.path().join("fifo")).files.is_empty());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tree(&[("closed", LEAK), ("open", LEAK), ("shut/in", LEAK)]);
    let close = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap()
    };
    close("closed", 0o000);
    close("shut", 0o000);
    let report = look_at(folder.path());
    close("shut", 0o700);
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root reads everything");
        return;
    }
    let unread: Vec<_> = report.unread.iter().map(|(path, _)| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(unread, ["closed", "shut"]);
    assert_eq!(paths(&report, folder.path()), ["open"]);
}

#[test]
fn a_root_that_does_not_exist_is_named() {
    let folder = tree(&[("a", LEAK)]);
    let report = look(&[folder.path().join("a"), folder.path().join("gone")], &Limits::default());
    assert_eq!((report.files.len(), report.unread.len()), (1, 1));
    assert!(report.unread[0].0.ends_with("gone"));
}

#[test]
fn names_of_files_may_be_any_bytes() {
    let folder = tree(&[]);
    let name = std::ffi::OsStr::from_bytes(b"\x1b]0;pwned\x07\xff\n.txt");
    fs::write(folder.path().join(name), LEAK).unwrap();
    let report = look_at(folder.path());
    assert_eq!(report.files[0].path.file_name().unwrap(), name);
}

#[test]
fn a_very_deep_folder_is_walked_or_named() {
    // Deeper than a path may be long: made and removed from inside.
    let folder = tree(&[]);
    let mut at =
        rustix::fs::open(folder.path(), rustix::fs::OFlags::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
    let name = "d".repeat(200);
    for depth in 0..60 {
        if depth == 10 {
            let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
            let file = rustix::fs::openat(&at, "leak", flags, rustix::fs::Mode::RUSR).unwrap();
            rustix::io::write(&file, LEAK.as_bytes()).unwrap();
        }
        rustix::fs::mkdirat(&at, &name, rustix::fs::Mode::RWXU).unwrap();
        at =
            rustix::fs::openat(&at, &name, rustix::fs::OFlags::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
    }
    drop(at);
    let report = look_at(folder.path());
    assert_eq!(report.files.len(), 1, "{:?}", report.unread);
    assert!(!report.unread.is_empty(), "the part that is too deep is said to be unread");
}

#[test]
fn a_hundred_thousand_files_are_read_and_a_deadline_ends_it_early() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..100 {
        let sub = folder.path().join(format!("{n}"));
        fs::create_dir(&sub).unwrap();
        fs::write(sub.join("0"), LEAK).unwrap();
        // Links to one file are files of their own, and cheap to make.
        for m in 1..1000 {
            fs::hard_link(sub.join("0"), sub.join(format!("{m}"))).unwrap();
        }
    }
    let report = look_at(folder.path());
    assert_eq!((report.scanned, report.files.len()), (100_000, 100_000));
    assert!(report.files.is_sorted_by_key(|file| &file.path));
    let soon = Limits { until: Some(Instant::now() + Duration::from_millis(20)), ..Limits::default() };
    let start = Instant::now();
    let report = look(&[folder.path().into()], &soon);
    assert!(!report.complete && report.scanned < 100_000, "{} files", report.scanned);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn larger_files_are_passed_over_if_told_so() {
    let folder = tree(&[("small", LEAK), ("large", &LEAK.repeat(100))]);
    let report = look(&[folder.path().into()], &Limits { max_size: Some(1000), ..Limits::default() });
    assert_eq!(paths(&report, folder.path()), ["small"]);
    assert_eq!(report.too_large, [folder.path().join("large")]);
}

#[test]
fn a_file_full_of_findings_is_counted_and_does_not_fill_the_memory() {
    let folder = tree(&[("many", &format!("{LEAK} {{{{$secret.A}}}}\n").repeat(30_000))]);
    let report = look_at(folder.path());
    assert_eq!(report.files[0].findings.len(), 20_000);
    assert_eq!(report.files[0].more, 40_000);
}

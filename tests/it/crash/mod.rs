//! R1, R2, R41, R43: killed at every step between two effects on the disk, for every piece of work that changes a vault.
//!
//! The piece of work runs in a process of its own (this test program once more, `the_victim`, with a cheap KDF) under
//! `SEALBOX_KILL_AT_STEP=N` for N = 1, 2, … until it survives. After each kill: everything verifies, the state is the one
//! before or the one after, and the same work done again completes. The program itself goes through the same for `set`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::{TestEnv, files_below, holds};
use crate::people::{Machine, ORG, admit, copy_tree, name, names, passphrase, project, read, set, value};
use sealbox::domain::{OnExisting, Passphrase, ProjectName, Role, SecretValue};
use sealbox::vault::{Home, Vault, VaultError};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const JOB: &str = "SEALBOX_TEST_CRASH_JOB";
const FOLDER: &str = "SEALBOX_TEST_CRASH_FOLDER";
/// More steps than any piece of work has.
const MOST: u64 = 120;

/// Where the scene of a kill keeps what the victim needs: files beside the vault's folder.
struct Scene(PathBuf);

impl Scene {
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    fn home(&self) -> Home {
        let paths = sealbox::platform::paths::VaultPaths::in_folder(self.0.join("v"));
        Home::new(paths, crate::people::CHEAP, std::sync::Arc::new(sealbox::platform::clock::SystemClock))
    }

    fn recovery_key(&self) -> SecretValue {
        SecretValue::new(std::fs::read(self.file("key")).unwrap()).unwrap()
    }
}

fn new_passphrase() -> Passphrase {
    Passphrase::new("the next one".to_owned())
}

/// Does one piece of work; what it needs lies in the scene.
fn work(job: &str, scene: &Scene) -> Result<(), VaultError> {
    let home = scene.home();
    let open = || home.unlock(&passphrase());
    match job {
        "init" => home.commit(&home.prepare("acme", "ada", &passphrase())?).map(drop),
        "identity" => home.create_identity(&passphrase()).map(drop),
        "set" => set(&mut open()?, &ORG, "NEW", "new").map(drop),
        "update" => set(&mut open()?, &ORG, "A", "third").map(drop),
        "delete" => open()?.delete(&ORG, &name("A")).map(drop),
        "rollback" => open()?.rollback(&ORG, &name("A"), 1).map(drop),
        "import" => {
            let entries: Vec<_> = (0..5).map(|n| (name(&format!("I{n}")), value("imported"))).collect();
            open()?.import(&ORG, &entries, OnExisting::Update, false).map(drop)
        }
        "project" => open()?.create_project(&ProjectName::parse("new").unwrap()),
        "member add" => open()?.add_member(&ORG, &scene.text("guest"), "gus", Role::Write).map(drop),
        "member role" => open()?.set_role(&ORG, "wil", Role::Read).map(drop),
        "member remove" => open()?.remove_member(&ORG, "wil").map(drop),
        "join" => home.join(&scene.text("link"), None, &passphrase()).map(drop),
        "passwd" => home.change_passphrase(&passphrase(), &new_passphrase(), None),
        "restore" => home.restore(&scene.file("backup"), true).map(drop),
        "recover" => home.recover(&scene.recovery_key(), None, "ada", &new_passphrase()).map(drop),
        "recover from" => home
            .recover(&scene.recovery_key(), Some(&scene.file("backup")), "ada", &new_passphrase())
            .map(drop),
        "reset" => home.reset(),
        other => panic!("no job {other}"),
    }
}

/// Not a test: the process that is killed. Does nothing unless a test below has set its job.
#[test]
fn the_victim() {
    if let (Ok(job), Ok(folder)) = (std::env::var(JOB), std::env::var(FOLDER)) {
        work(&job, &Scene(PathBuf::from(folder))).unwrap();
    }
}

/// Runs a job in a process of its own. True if it came to its end.
fn survives(job: &str, scene: &Scene, kill_at: u64) -> bool {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["--exact", "crash::the_victim", "--test-threads", "1"]);
    victim.env(JOB, job).env(FOLDER, &scene.0).env("SEALBOX_KILL_AT_STEP", kill_at.to_string());
    let ran = victim.stdin(Stdio::null()).output().unwrap();
    assert!(
        ran.status.success() || ran.status.signal() == Some(9),
        "{job}, step {kill_at}: {}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    ran.status.success()
}

/// What a user sees, without positions: equal pictures are equal states.
fn picture(vault: &Vault) -> String {
    let mut picture = String::new();
    for view in vault.scopes().unwrap() {
        picture += &format!("[{}] ", view.scope);
        for secret in names(vault, &view.scope) {
            let versions = vault.history(&view.scope, &name(&secret)).unwrap().1.len();
            picture += &format!("{secret}={}({versions}) ", read(vault, &view.scope, &secret).unwrap());
        }
        for member in vault.members(&view.scope).unwrap() {
            picture += &format!("{}:{:?} ", member.label, member.role);
        }
    }
    picture
}

fn verified(scene: &Scene, what: &str) {
    for report in scene.home().verify(None).unwrap() {
        assert!(report.faults.is_empty() && report.ignored == 0, "{what}: {report:?}");
    }
}

/// A vault in which everything that a job needs is there.
fn stage() -> (Machine, Vec<Machine>) {
    let machine = Machine::new();
    let prepared = machine.home().prepare("acme", "ada", &passphrase()).unwrap();
    let aside = |name: &str, bytes: &[u8]| std::fs::write(machine.folder.path().join(name), bytes).unwrap();
    aside("key", prepared.recovery_key().expose());
    let mut vault = machine.home().commit(&prepared).unwrap();
    set(&mut vault, &ORG, "A", "first").unwrap();
    machine.home().backup(Some(&vault), &machine.folder.path().join("backup")).unwrap();
    set(&mut vault, &ORG, "A", "second").unwrap();
    vault.create_project(&ProjectName::parse("web").unwrap()).unwrap();
    set(&mut vault, &project("web"), "B", "in web").unwrap();
    let (wil, _) = admit(&mut vault, "wil", &[(&ORG, Role::Write)]);
    let guest = Machine::new();
    aside("guest", guest.home().create_identity(&passphrase()).unwrap().as_bytes());
    (machine, vec![wil, guest])
}

fn copy(from: &Path) -> (tempfile::TempDir, Scene) {
    let folder = tempfile::Builder::new().prefix("sealbox-crash-").tempdir().unwrap();
    copy_tree(from, folder.path());
    let scene = Scene(folder.path().to_owned());
    (folder, scene)
}

/// Kills a job that keeps the vault openable by the same passphrase at every step.
fn killed_everywhere(job: &str) {
    let (whole, _others) = stage();
    let before = picture(&whole.open());
    let (_folder, done) = copy(whole.folder.path());
    work(job, &done).unwrap();
    let after = picture(&done.home().unlock(&passphrase()).unwrap());
    assert_ne!(before, after, "{job} does nothing");
    let mut seen_after = false;
    for step in 1.. {
        assert!(step < MOST, "{job} never survives");
        let (_folder, scene) = copy(whole.folder.path());
        let survived = survives(job, &scene, step);
        let what = format!("{job}, killed at step {step}");
        verified(&scene, &what);
        let now = picture(&scene.home().unlock(&passphrase()).unwrap());
        assert!(now == before || now == after, "{what}: {now}");
        assert!(!(seen_after && now == before), "{what}: what was durable is gone");
        seen_after |= now == after;
        if survived {
            assert_eq!(now, after, "{job} was acknowledged and is not there");
            assert!(step > 3, "{job} has no steps: the failpoints are gone");
            return;
        }
        if now == before {
            work(job, &scene).unwrap_or_else(|error| panic!("{what}, done again: {error}"));
            assert_eq!(picture(&scene.home().unlock(&passphrase()).unwrap()), after, "{what}, done again");
        }
        verified(&scene, &what);
    }
}

#[test]
fn writing_secrets_is_done_or_not_done() {
    for job in ["set", "update", "delete", "rollback", "import"] {
        killed_everywhere(job);
    }
}

#[test]
fn founding_a_project_is_done_or_not_done() {
    killed_everywhere("project");
}

#[test]
fn changing_members_is_done_or_not_done_and_never_without_new_keys() {
    for job in ["member add", "member role", "member remove"] {
        killed_everywhere(job);
    }
}

#[test]
fn a_removal_is_never_there_without_its_rotation() {
    let (whole, _others) = stage();
    for step in 1..MOST {
        let (_folder, scene) = copy(whole.folder.path());
        let survived = survives("member remove", &scene, step);
        let store = sealbox::store::SqliteStore::open(&scene.0.join("v/store.db")).unwrap();
        let tables = crate::store::wrappers::HostileStore::copy_of(&store).tables();
        for (scope, _) in tables.rows.keys() {
            let mut replay = sealbox::chain::Replay::new(*scope, None, false);
            for ((_, seq), bytes) in tables.rows.iter().filter(|((id, _), _)| id == scope) {
                replay.feed(*seq, bytes).unwrap();
            }
            assert!(!replay.state().unwrap().dirty, "step {step}: removed, and the old key is still in use");
        }
        if survived {
            return;
        }
    }
}

#[test]
fn restoring_a_backup_is_done_or_not_done() {
    let (whole, _others) = stage();
    let before = picture(&whole.open());
    for step in 1..MOST {
        let (_folder, scene) = copy(whole.folder.path());
        let survived = survives("restore", &scene, step);
        // Between the rows and the pins a rollback has been asked for, and half accepted: it says so, and goes on.
        match scene.home().unlock(&passphrase()) {
            Ok(vault) => {
                let now = picture(&vault);
                assert!(now == before || now.contains("A=first(1)"), "step {step}: {now}");
            }
            Err(error) => assert!(matches!(error, VaultError::Chain { .. }), "step {step}: {error}"),
        }
        work("restore", &scene).unwrap();
        verified(&scene, "restored");
        let now = picture(&scene.home().unlock(&passphrase()).unwrap());
        assert!(now.contains("A=first(1)") && !now.contains("web"), "{now}");
        if survived {
            return;
        }
    }
    panic!("restore never survives");
}

#[test]
fn making_a_vault_is_done_or_not_done() {
    let empty = tempfile::tempdir().unwrap();
    for step in 1..MOST {
        let (_folder, scene) = copy(empty.path());
        let survived = survives("init", &scene, step);
        let home = scene.home();
        if home.exists().unwrap() {
            assert_eq!(names(&home.unlock(&passphrase()).unwrap(), &ORG).len(), 0, "step {step}");
        } else {
            assert!(!survived, "acknowledged, and not there");
            work("init", &scene).unwrap_or_else(|error| panic!("killed at step {step}, done again: {error}"));
        }
        let mut vault = home.unlock(&passphrase()).unwrap();
        set(&mut vault, &ORG, "A", "x").unwrap();
        verified(&scene, "made");
        let left: Vec<_> = files_below(&scene.0)
            .into_iter()
            .filter(|file| file.to_string_lossy().contains("tmp-"))
            .collect();
        assert!(
            left.iter().all(|file| !file.to_string_lossy().contains("identity")),
            "step {step}: {left:?}"
        );
        if survived {
            assert!(step > 10);
            return;
        }
    }
    panic!("init never survives");
}

#[test]
fn making_an_identity_and_joining_is_done_or_not_done() {
    let empty = tempfile::tempdir().unwrap();
    for step in 1..MOST {
        let (_folder, scene) = copy(empty.path());
        let survived = survives("identity", &scene, step);
        if !scene.home().exists().unwrap() {
            work("identity", &scene).unwrap();
        }
        scene.home().unlock(&passphrase()).unwrap();
        if survived {
            break;
        }
    }
    let (_owner, mut vault) = Machine::founded();
    set(&mut vault, &ORG, "A", "x").unwrap();
    let guest = Machine::new();
    let id = guest.home().create_identity(&passphrase()).unwrap();
    let link = vault.add_member(&ORG, &id, "gus", Role::Write).unwrap();
    std::fs::write(guest.folder.path().join("link"), link).unwrap();
    for step in 1..MOST {
        let (_folder, scene) = copy(guest.folder.path());
        let survived = survives("join", &scene, step);
        let opened = scene.home().unlock(&passphrase()).unwrap();
        assert!(
            read(&opened, &ORG, "A").is_ok() || (opened.scopes().unwrap().is_empty() && !survived),
            "step {step}"
        );
        drop(opened);
        work("join", &scene).unwrap();
        assert_eq!(read(&scene.home().unlock(&passphrase()).unwrap(), &ORG, "A").unwrap(), "x");
        if survived {
            return;
        }
    }
    panic!("join never survives");
}

#[test]
fn a_passphrase_change_leaves_the_old_or_the_new_and_never_neither() {
    let (whole, _others) = stage();
    for step in 1..MOST {
        let (_folder, scene) = copy(whole.folder.path());
        let survived = survives("passwd", &scene, step);
        let (old, new) = (scene.home().unlock(&passphrase()), scene.home().unlock(&new_passphrase()));
        assert!(old.is_ok() ^ new.is_ok(), "step {step}: {} {}", old.is_ok(), new.is_ok());
        assert!(!survived || new.is_ok());
        if old.is_ok() {
            work("passwd", &scene).unwrap();
        } else {
            scene.home().change_passphrase(&new_passphrase(), &passphrase(), None).unwrap();
        }
        // nothing that the killed process had half written stays: it may hold the seed under the other passphrase
        let left = files_below(&scene.0).into_iter().filter(|file| file.to_string_lossy().contains(".tmp-"));
        assert_eq!(left.count(), 0, "step {step}");
        if survived {
            return;
        }
    }
    panic!("passwd never survives");
}

#[test]
fn a_recovery_that_was_killed_is_completed_by_a_rerun() {
    for job in ["recover", "recover from"] {
        let (whole, _others) = stage();
        if job == "recover from" {
            std::fs::remove_dir_all(whole.folder.path().join("v")).unwrap();
        }
        for step in 1.. {
            assert!(step < MOST, "{job} never survives");
            let (_folder, scene) = copy(whole.folder.path());
            let survived = survives(job, &scene, step);
            if scene.home().unlock(&new_passphrase()).is_err() {
                assert!(!survived);
                work(job, &scene)
                    .unwrap_or_else(|error| panic!("{job}, killed at {step}, done again: {error}"));
            }
            let vault = scene.home().unlock(&new_passphrase()).unwrap();
            assert!(read(&vault, &ORG, "A").is_ok(), "{job}, step {step}");
            assert_eq!(vault.scopes().unwrap()[0].role, Role::Owner);
            verified(&scene, job);
            if survived {
                break;
            }
        }
    }
}

#[test]
fn a_reset_that_was_killed_is_completed_by_a_rerun_and_leaves_nothing() {
    let (whole, _others) = stage();
    let identity = std::fs::read(whole.paths().identity()).unwrap();
    for step in 1..MOST {
        let (_folder, scene) = copy(whole.folder.path());
        let survived = survives("reset", &scene, step);
        work("reset", &scene).unwrap();
        for file in files_below(&scene.0.join("v")) {
            assert!(!holds(&std::fs::read(&file).unwrap(), &identity[16..48]), "{}", file.display());
            assert!(!file.to_string_lossy().contains("store.db"), "{}", file.display());
        }
        work("init", &scene).unwrap();
        if survived {
            return;
        }
    }
    panic!("reset never survives");
}

#[test]
fn the_program_itself_is_killed_at_every_step_of_a_set() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "A"], b"first").ok();
    for step in 1..MOST {
        let mut command = env.command(&["set", "A"]);
        command.env("SEALBOX_KILL_AT_STEP", step.to_string());
        let before = env.run(&["get", "A"]).ok().stdout;
        let now = format!("written under step {step}");
        let ran = crate::env::Ran::of(command, now.as_bytes());
        let after = env.run(&["get", "A"]).ok().stdout;
        assert!(after == before || after == now.as_bytes(), "step {step}");
        if ran.code == 0 {
            assert_eq!(after, now.as_bytes());
            env.run(&["verify"]).ok();
            return;
        }
        assert_eq!(ran.code, -1, "step {step}: {}", ran.stderr);
    }
    panic!("set never survives");
}

//! What a person or a pipeline waits for: whole processes of the real binary, beside peers, round by round in one run.
//!
//! Every competitor reads one value from what it keeps; a peer that is not installed, or does not answer with the value, is
//! named and left out. `sealbox` keeps 10,000 secrets and is unlocked through its agent.

use super::{random, vault::entries};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

const SECRETS: usize = 10_000;
const VALUE: &str = "a-value-of-thirty-two-characters";

pub(crate) fn figures() {
    let home = Home::new();
    home.found();
    home.figure_reading();
    home.figure_running();
    home.figure_streams();
    home.figure_scanning();
    home.figure_agent();
}

/// One empty home for every competitor.
struct Home {
    folder: tempfile::TempDir,
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.sealbox(&["agent", "stop"]).output();
        let _ = self.command("gpgconf", &["--kill", "all"]).output();
    }
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(args).env_clear().env("PATH", path).env("HOME", self.folder.path()).env("TERM", "dumb");
        command.env("GNUPGHOME", self.path("gnupg")).env("PASSWORD_STORE_DIR", self.path("pass"));
        command.env("SEALBOX_PASSPHRASE_FILE", self.path("passphrase")).current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    fn sealbox(&self, args: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_sealbox"), args)
    }

    /// Runs something that must work.
    fn must(&self, mut command: Command) -> Vec<u8> {
        let out = command.output().unwrap();
        assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    }

    /// A vault with ten thousand secrets, unlocked.
    fn found(&self) {
        fs::write(self.path("passphrase"), "bench\n").unwrap();
        self.must(self.sealbox(&[
            "init",
            "--org",
            "acme",
            "--name",
            "bench",
            "--recovery-key-file",
            "recovery",
        ]));
        let mut lines = Zeroizing::new(String::from("BENCH_KEY=") + VALUE + "\n");
        for (name, value) in entries(SECRETS - 1) {
            lines.push_str(&format!("{name}={}\n", value.expose_text().unwrap()));
        }
        fs::write(self.path("many.env"), lines.as_bytes()).unwrap();
        self.must(self.sealbox(&["import", "many.env"]));
        self.must(self.sealbox(&["unlock"]));
    }

    fn figure_reading(&self) {
        println!(
            "\nread one value, whole process, {SECRETS} secrets in sealbox, 1 in each peer; median of 101 rounds"
        );
        let mut all = vec![("/bin/true", self.command("/bin/true", &[]))];
        all.push(("sealbox get, through the agent", self.sealbox(&["get", "BENCH_KEY"])));
        for (name, made) in
            [("age -d", self.age()), ("pass show", self.pass()), ("keepassxc-cli show", self.keepassxc())]
        {
            match made {
                Some(command) => all.push((name, command)),
                None => println!("{name}: not installed here, left out"),
            }
        }
        match self.gopass() {
            Some(command) => all.push(("gopass show", command)),
            None => println!("gopass show: not here, or another program of that name; left out"),
        }
        for (name, command) in all.iter_mut().skip(1) {
            let out = command.output().unwrap();
            let said = String::from_utf8_lossy(&out.stdout).trim_end().to_owned();
            assert_eq!(said, VALUE, "{name}: {}", String::from_utf8_lossy(&out.stderr));
        }
        compare(&mut all, 101, "2 ms");
    }

    fn figure_running(&self) {
        println!("\nstart a program with 3 secrets; median of 101 rounds");
        let run = ["run", "--only", "BENCH_KEY", "--", "/bin/true"];
        let exec = ["run", "--only", "BENCH_KEY", "--no-redact", "--", "/bin/true"];
        let mut all = vec![
            ("/bin/true", self.command("/bin/true", &[])),
            ("sealbox run -- /bin/true", self.sealbox(&run)),
            ("sealbox run --no-redact -- /bin/true", self.sealbox(&exec)),
        ];
        compare(&mut all, 101, "10 ms over the first");
    }

    /// Redaction and injection of large inputs, beside `cat`.
    fn figure_streams(&self) {
        const MIB: usize = 256;
        let noise = self.path("noise");
        fs::write(&noise, text(MIB << 20)).unwrap();
        self.must(self.sealbox(&["project", "create", "thousand"]));
        let some: String = entries(1000)
            .iter()
            .map(|(name, value)| format!("{name}={}\n", value.expose_text().unwrap()))
            .collect();
        fs::write(self.path("thousand.env"), some).unwrap();
        self.must(self.sealbox(&["import", "thousand.env", "-p", "thousand"]));
        let names: Vec<String> = entries(1000).iter().map(|(name, _)| name.to_string()).collect();
        let only = names.join(",");
        println!("\n{MIB} MiB of log text through a pipe; best of 3");
        let floor = self.throughput(self.command("cat", &["noise"]), MIB, "cat", "");
        let run = self.sealbox(&["run", "-p", "thousand", "--only", &only, "--", "cat", "noise"]);
        let ours = self.throughput(run, MIB, "sealbox run -- cat, 1,000 secrets redacted", "300 MB/s");
        println!("{:<62} {:>9.2} x", "ratio to cat", ours / floor);
        const TEMPLATE_MIB: usize = 16;
        let mut template = text((TEMPLATE_MIB << 20) - (1 << 17));
        for at in (0..template.len() - 64).step_by(16 << 10) {
            template[at..at + 24].copy_from_slice(b" {{ $secret.BENCH_KEY }}");
        }
        fs::write(self.path("template"), template).unwrap();
        let inject = self.sealbox(&["inject", "-i", "template"]);
        println!("\n{TEMPLATE_MIB} MiB template with 1,000 references; best of 3");
        self.throughput(inject, TEMPLATE_MIB, "sealbox inject, whole process", "200 MB/s");
    }

    /// Runs `command` with its output read and thrown away; MB/s of the best of three.
    fn throughput(&self, mut command: Command, mib: usize, figure: &str, reach: &str) -> f64 {
        let best = (0..3)
            .map(|_| {
                let start = Instant::now();
                let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
                let read = std::io::copy(child.stdout.as_mut().unwrap(), &mut std::io::sink()).unwrap();
                assert!(child.wait().unwrap().success() && read > 1 << 20, "{figure}: {read} bytes");
                start.elapsed()
            })
            .min()
            .unwrap();
        let speed = (mib << 20) as f64 / 1e6 / best.as_secs_f64();
        println!("{figure:<62} {speed:>7.0} MB/s   {reach}");
        speed
    }

    /// A tree of one gigabyte, searched for leaks, beside ripgrep.
    fn figure_scanning(&self) {
        let tree = self.path("tree");
        let piece = text(1 << 20);
        for folder in 0..32 {
            let folder = tree.join(format!("d{folder}"));
            fs::create_dir_all(&folder).unwrap();
            for file in 0..32 {
                fs::write(folder.join(format!("f{file}.log")), &piece).unwrap();
            }
        }
        println!("\na tree of 1 GiB in 1,024 files; best of 3");
        let tree = tree.to_string_lossy().into_owned();
        let best = |mut command: Command, name: &str, fine: i32| -> f64 {
            let times = (0..3).map(|_| {
                let start = Instant::now();
                let out = command.stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
                assert_eq!(out.status.code(), Some(fine), "{name}: {}", String::from_utf8_lossy(&out.stderr));
                start.elapsed()
            });
            let best = times.min().unwrap().as_secs_f64();
            println!("{name:<62} {:>9.0} ms", best * 1e3);
            best
        };
        let ours = best(
            self.sealbox(&["scan", &tree]),
            "sealbox scan: references, and 10,000 values that may have leaked",
            0,
        );
        if !installed("rg") {
            println!("rg: not installed here, left out");
            return;
        }
        let values: String =
            entries(SECRETS).iter().map(|(_, value)| format!("{}\n", value.expose_text().unwrap())).collect();
        fs::write(self.path("patterns"), values).unwrap();
        let peers = [
            (vec!["-uuu", "-c", VALUE, &tree], "rg -uuu: one word"),
            (
                vec!["-uuu", "-c", "-F", "-f", "patterns", &tree],
                "rg -uuu -F -f: the 10,000 values, as they are",
            ),
        ];
        for (args, name) in peers {
            let peer = best(self.command("rg", &args), name, 1);
            println!("{:<62} {:>9.2} x", "sealbox scan beside it", ours / peer);
        }
    }

    /// What the agent costs while nobody asks it anything.
    fn figure_agent(&self) {
        println!("\nthe agent, unlocked, {SECRETS} secrets and 1,000 in a project");
        println!("{:<62} {:>12}", "resident memory after all of the above", resident(self.agent()));
        self.must(self.sealbox(&["agent", "stop"]));
        self.must(self.sealbox(&["unlock"]));
        let pid = self.agent();
        self.must(self.sealbox(&["get", "BENCH_KEY"]));
        let busy = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let fields: Vec<u64> =
                stat.rsplit(')').next().unwrap_or("").split(' ').filter_map(|f| f.parse().ok()).collect();
            fields.get(10).zip(fields.get(11)).map(|(user, system)| user + system)
        };
        let before = busy();
        std::thread::sleep(Duration::from_secs(10));
        let ticks = busy().zip(before).map(|(after, before)| after - before);
        println!(
            "{:<62} {:>6} ticks   0",
            "processor time in 10 idle seconds",
            ticks.map_or("?".into(), |t| t.to_string())
        );
        println!("{:<62} {:>12}   20 MB", "resident memory once unlocked", resident(pid));
    }

    /// The agent's process.
    fn agent(&self) -> u64 {
        let status = self.must(self.sealbox(&["agent", "status", "--json"]));
        let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
        status["pid"].as_u64().unwrap_or_else(|| panic!("no agent: {status}"))
    }

    fn age(&self) -> Option<Command> {
        installed("age").then_some(())?;
        self.must(self.command("age-keygen", &["-o", "age.key"]));
        let key = fs::read_to_string(self.path("age.key")).unwrap();
        let public = key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
        fs::write(self.path("plain"), VALUE).unwrap();
        self.must(self.command("age", &["-r", public, "-o", "value.age", "plain"]));
        Some(self.command("age", &["-d", "-i", "age.key", "value.age"]))
    }

    fn pass(&self) -> Option<Command> {
        installed("pass").then_some(())?;
        make_private(&self.path("gnupg"));
        let recipe = "%no-protection\nKey-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\n\
                      Name-Email: bench@example.org\nExpire-Date: 0\n%commit\n";
        fs::write(self.path("recipe"), recipe).unwrap();
        self.must(self.command("gpg", &["--batch", "--gen-key", "recipe"]));
        self.must(self.command("pass", &["init", "bench@example.org"]));
        self.must_with_input(self.command("pass", &["insert", "-m", "BENCH_KEY"]), VALUE);
        Some(self.command("pass", &["show", "BENCH_KEY"]))
    }

    /// Works on the store of `pass`. Some systems ship another program of this name.
    fn gopass(&self) -> Option<Command> {
        let works = |command: &mut Command| {
            command.output().is_ok_and(|out| String::from_utf8_lossy(&out.stdout).trim_end() == VALUE)
        };
        let mut command = self.command("gopass", &["show", "-o", "BENCH_KEY"]);
        command.env("GOPASS_NO_NOTIFY", "true");
        works(&mut command).then_some(command)
    }

    fn keepassxc(&self) -> Option<Command> {
        installed("keepassxc-cli").then_some(())?;
        fs::write(self.path("kp.key"), "sixty-four bytes of a key file that protects nothing but this bench")
            .unwrap();
        self.must(self.command("keepassxc-cli", &["db-create", "-q", "-k", "kp.key", "db.kdbx"]));
        let add = ["add", "-q", "-k", "kp.key", "--no-password", "-p", "db.kdbx", "BENCH_KEY"];
        self.must_with_input(self.command("keepassxc-cli", &add), &format!("{VALUE}\n{VALUE}\n"));
        let show = ["show", "-q", "-k", "kp.key", "--no-password", "-a", "Password", "db.kdbx", "BENCH_KEY"];
        Some(self.command("keepassxc-cli", &show))
    }

    fn must_with_input(&self, mut command: Command, input: &str) {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{command:?}");
    }
}

/// Runs every competitor once a round, so that whatever else the machine does hits all of them alike.
fn compare(all: &mut [(&str, Command)], rounds: usize, reach: &str) {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); all.len()];
    for _ in 0..rounds {
        for ((_, command), times) in all.iter_mut().zip(&mut times) {
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            let status = command.status().unwrap();
            times.push(start.elapsed());
            assert!(status.success(), "{command:?}");
        }
    }
    let mut floor = None;
    for ((name, _), times) in all.iter().zip(&mut times) {
        times.sort();
        let middle = times[rounds / 2].as_secs_f64() * 1e3;
        let floor = *floor.get_or_insert(middle);
        let reach = if name.starts_with("sealbox") { reach } else { "" };
        println!("{name:<62} {middle:>9.2} ms   {:>5.1} x   {reach}", middle / floor);
    }
}

/// So many bytes that look like a program's log.
fn text(length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 128);
    let mut next = random(0x2545_F491_4F6C_DD1D);
    while out.len() < length {
        let number = next();
        let (id, time) = (number >> 40, number & 0xFFF);
        writeln!(
            out,
            "2026-11-21T12:00:00Z INFO request id={id:06x} path=/v1/items/{time} status=200 took={time}us"
        )
        .unwrap();
    }
    out.truncate(length);
    out
}

/// What a process has in memory, pages of the program's own file included.
fn resident(pid: u64) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap_or("not known here").trim().to_owned()
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn make_private(folder: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder).unwrap();
}

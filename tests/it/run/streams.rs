//! What comes out of `run`: never a value, in no spelling and however it was cut (R27); everything else, in order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::env::{Ran, TestEnv, holds};
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::fmt::Write as _;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

const CANARY: &str = "CANARY/7f\"e+ 93&of%a\\run";

fn vault() -> TestEnv {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "API_KEY"], CANARY.as_bytes()).ok();
    env
}

/// The spellings in which a program may print a value.
fn spellings() -> Vec<Vec<u8>> {
    let bytes = CANARY.as_bytes();
    let mut url = String::new();
    for b in bytes {
        if b.is_ascii_alphanumeric() || b"-._~".contains(b) {
            url.push(char::from(*b));
        } else {
            write!(url, "%{b:02X}").unwrap();
        }
    }
    let json = serde_json::to_string(CANARY).unwrap();
    let mut all = vec![bytes.to_vec(), url.into_bytes(), json.trim_matches('"').as_bytes().to_vec()];
    all.extend((0..3).map(|at| STANDARD.encode([&b"xyz"[..at], bytes, b"tail"].concat()).into_bytes()));
    all
}

/// What of a value's base64 does not depend on its neighbours, at each alignment.
fn cores() -> Vec<Vec<u8>> {
    let cut = |at: usize| {
        let text = STANDARD.encode([&b"xyz"[..at], CANARY.as_bytes()].concat());
        let text = text.trim_end_matches('=').as_bytes();
        text[if at == 0 { 0 } else { 4 }..text.len() - 3].to_vec()
    };
    let mut all: Vec<Vec<u8>> = spellings().into_iter().take(3).collect();
    all.extend((0..3).map(cut));
    all
}

fn octal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, b| {
        write!(text, "\\{b:03o}").unwrap();
        text
    })
}

#[test]
fn no_split_of_a_value_over_writes_lets_it_out() {
    let env = vault();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[27; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut script = String::new();
    let all = spellings();
    let strategy = (0..all.len(), proptest::collection::vec(0_usize..80, 1..6), 1_u8..3, 0_u8..8);
    for case in 0..150 {
        let (which, mut cuts, stream, pause) = strategy.new_tree(&mut runner).unwrap().current();
        let text = [format!("<{case}:").into_bytes(), all[which].clone(), b">\n".to_vec()].concat();
        cuts.sort_unstable();
        let mut at = 0;
        for cut in cuts.into_iter().map(|cut| cut.min(text.len())).chain([text.len()]) {
            writeln!(script, "printf '{}' >&{stream}", octal(&text[at..cut])).unwrap();
            at = cut;
            if pause == 0 {
                writeln!(script, "sleep 0.05").unwrap();
            }
        }
    }
    env.private_file("pieces.sh", script.as_bytes());
    let ran = env.run(&["run", "--", "sh", "pieces.sh"]).ok();
    let out = [&ran.stdout[..], ran.stderr.as_bytes()].concat();
    for core in cores() {
        assert!(!holds(&out, &core), "{} came out", String::from_utf8_lossy(&core));
    }
    let text = String::from_utf8_lossy(&out).into_owned();
    assert_eq!(text.matches("[sealed:API_KEY]").count(), 150, "{text}");
    for case in 0..150 {
        assert!(text.contains(&format!("<{case}:")), "{case} was lost");
    }
}

#[test]
fn the_order_of_both_outputs_stays_when_they_are_one_file() {
    let env = vault();
    let file = std::fs::File::create(env.work().join("log")).unwrap();
    let mut command = env.command(&[
        "run",
        "--",
        "sh",
        "-c",
        "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done",
    ]);
    command.stdout(file.try_clone().unwrap()).stderr(file);
    assert!(command.status().unwrap().success());
    let log = std::fs::read_to_string(env.work().join("log")).unwrap();
    let want: String = (1..10).fold(String::new(), |text, i| format!("{text}o{i}\ne{i}\n"));
    assert_eq!(log, want);
}

#[test]
fn stdin_reaches_the_program_and_great_outputs_come_out_whole() {
    let env = vault();
    let input: Vec<u8> =
        (0..3_000_000_u32).map(|n| b"abcdefghijklmnopqrstuvwxyz\n"[n as usize % 27]).collect();
    let ran = env.run_with(&["run", "--", "cat"], &input).ok();
    assert!(ran.stdout == input, "{} of {} bytes", ran.stdout.len(), input.len());
}

#[test]
fn a_prompt_without_a_line_end_appears_at_once() {
    let env = vault();
    let mut child =
        env.command(&["run", "--", "sh", "-c", "printf 'Password: C'; sleep 20"]).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut text = Vec::new();
    let start = Instant::now();
    while !text.ends_with(b": C") {
        let mut byte = [0];
        out.read_exact(&mut byte).unwrap();
        text.push(byte[0]);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "it was held");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn a_reader_that_goes_away_ends_the_program_as_it_would_without_us() {
    let env = vault();
    let mut child = env.command(&["run", "--", "sh", "-c", "while :; do echo line; done"]).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 64]).unwrap();
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(141), "128 and SIGPIPE");
}

#[test]
fn output_that_nobody_could_take_is_an_error_and_not_silence() {
    let env = vault();
    for (program, code) in [("echo \"$API_KEY\"", 1), ("echo x; sleep 0.2; exit 5", 5)] {
        let mut command = env.command(&["run", "--", "sh", "-c", program]);
        command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{program}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("cannot pass on what the program printed: No space left"), "{told}");
    }
}

#[test]
fn what_a_program_leaves_running_does_not_hold_us() {
    let env = vault();
    let start = Instant::now();
    let script = "sleep 30 & printf '%s\\n' \"$API_KEY\"; echo last; exit 4";
    let ran = env.run(&["run", "--", "sh", "-c", script]).code(4);
    assert_eq!(ran.text(), "[sealed:API_KEY]\nlast\n");
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn values_that_cannot_be_hidden_are_named_once() {
    let env = TestEnv::with_vault();
    env.run_with(&["set", "PIN"], b"1234").ok();
    let ran = env.run(&["run", "--", "true"]).ok();
    assert_eq!(ran.stderr.matches("PIN").count(), 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains("1234"));
    let ran = env.run(&["run", "--no-redact", "--", "sh", "-c", "echo $PIN"]).ok();
    assert_eq!((ran.text(), ran.stderr.as_str()), ("1234\n", ""));
}

/// The processes below one, nearest first.
pub(super) fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{parent}/task")) else { continue };
        for task in tasks.flatten() {
            let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let children: Vec<u32> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
            found.extend(&children);
            parents.extend(children);
        }
    }
    found
}

#[test]
fn unfiltered_the_program_takes_our_place() {
    let env = vault();
    let out = env.command(&["run", "--no-redact", "--", "sh", "-c", "echo $$; printf '%s\\n' \"$API_KEY\""]);
    let mut command = out;
    let child = command.spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{pid}\n{CANARY}\n"));
    let ran = Ran::of(env.command(&["run", "--no-redact", "--", "cat"]), b"as it is");
    assert_eq!(ran.ok().text(), "as it is");
}

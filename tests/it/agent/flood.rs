//! R32: whatever is thrown at the socket, the agent lives, stays small and says nothing of it.

use super::Desk;
use sealbox::agent::protocol::{Hello, MAX_HELLO, PATIENCE, frame, receive, send};
use sealbox::agent::socket;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const CANARY: &str = "CANARY-of-a-request";

fn connect(desk: &Desk) -> Option<UnixStream> {
    socket::connect(&desk.paths()).ok()
}

/// A connection that has been greeted.
fn greeted(desk: &Desk) -> UnixStream {
    let stream = connect(desk).unwrap();
    send(&stream, &frame(&Hello::new(&desk.env.vault(), false)).unwrap()).unwrap();
    receive(&stream, MAX_HELLO, PATIENCE, None).unwrap().unwrap();
    stream
}

fn resident_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn works(desk: &Desk) {
    assert_eq!(desk.run(&["get", "API_KEY"]).ok().text(), "canary-value");
}

#[test]
fn random_half_and_oversized_requests_change_nothing() {
    let desk = Desk::new();
    desk.unlock();
    let pid = desk.pid().unwrap();
    let mut seed = 7_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let before = resident_kib(pid);
    for round in 0..3_000 {
        let mut bytes: Vec<u8> = (0..random() % 200).map(|_| u8::try_from(random() % 256).unwrap()).collect();
        match round % 5 {
            0 => bytes.splice(0..0, u32::MAX.to_be_bytes()).for_each(drop),
            1 => bytes.splice(0..0, 5_000_u32.to_be_bytes()).for_each(drop), // more than comes
            2 => bytes = CANARY.as_bytes().to_vec(),
            _ => bytes.splice(0..0, u32::try_from(bytes.len()).unwrap().to_be_bytes()).for_each(drop),
        }
        let stream = if round % 10 == 0 { greeted(&desk) } else { connect(&desk).unwrap() };
        let _ = (&stream).write_all(&bytes); // it may have been refused by then
    }
    works(&desk);
    let after = resident_kib(pid);
    assert!(after < before + 16 * 1024, "{before} KiB became {after} KiB");
    let log = desk.log();
    assert!(!log.contains("CANARY") && log.len() < 2_000, "{log}");
}

#[test]
fn a_request_that_makes_no_sense_is_refused_without_repeating_it() {
    let desk = Desk::new();
    desk.unlock();
    for body in [
        format!("{{\"{CANARY}\":{{}}}}"),
        format!("{{\"set_secret\":\"{CANARY}\"}}"),
        "[".repeat(50_000),
        "{\"unlock\":{\"passphrase\":\"!!\"}}".to_owned(),
    ] {
        let stream = greeted(&desk);
        let mut whole = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        whole.extend_from_slice(body.as_bytes());
        send(&stream, &whole).unwrap();
        let answer = receive(&stream, MAX_HELLO, PATIENCE, None).unwrap().unwrap();
        let text = String::from_utf8(answer.to_vec()).unwrap();
        assert!(text.contains("does not understand") && !text.contains(CANARY), "{text}");
    }
    works(&desk);
}

#[test]
fn slow_connections_hold_nobody_up_for_longer_than_their_time() {
    let desk = Desk::new();
    desk.unlock();
    // more than there are workers: half a header each, and then nothing
    let slow: Vec<UnixStream> = (0..60)
        .map(|_| {
            let stream = connect(&desk).unwrap();
            (&stream).write_all(&[0, 0]).unwrap();
            stream
        })
        .collect();
    let ran = desk.env.run(&["get", "API_KEY"]).ok(); // by its own means, if it must
    assert_eq!(ran.text(), "canary-value");
    let start = Instant::now();
    while !desk.run(&["get", "API_KEY"]).stdout.starts_with(b"canary") {
        assert!(start.elapsed() < PATIENCE * 3, "it does not come back");
        std::thread::sleep(Duration::from_millis(200));
    }
    drop(slow);
}

#[test]
fn ten_thousand_connections_leave_it_as_it_was() {
    let desk = Desk::new();
    desk.unlock();
    let pid = desk.pid().unwrap();
    let before = resident_kib(pid);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..2_500 {
                    match round % 3 {
                        0 => drop(connect(&desk)),
                        1 => drop(connect(&desk).map(|stream| (&stream).write_all(&[0, 0, 0]))),
                        _ => drop(greeted(&desk)),
                    }
                }
            });
        }
    });
    works(&desk);
    let after = resident_kib(pid);
    assert!(after < before + 16 * 1024, "{before} KiB became {after} KiB");
}

#[test]
fn connections_that_say_nothing_do_not_keep_the_keys_from_a_lock() {
    let desk = Desk::new();
    desk.unlock();
    let pid = desk.pid().unwrap();
    // every worker is taken, and the queue behind them is full
    let silent: Vec<UnixStream> = (0..200).map_while(|_| connect(&desk)).collect();
    assert!(silent.len() > 100);
    desk.run(&["lock"]).ok().says("locked");
    assert!(!super::alive(pid));
    assert!(desk.log().contains("lock reason=asked"), "in order: {}", desk.log());
}

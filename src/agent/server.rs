//! The agent's process: one service, a socket, a worker for each connection, an alarm, and an orderly end.
//!
//! Blocking I/O on plain threads: while nobody asks, nothing runs. Invariants: keys are wiped before a lock, a signal or a
//! stop is answered; no byte of a stranger is parsed; nothing of a request is ever logged.

use super::error::AgentError;
use super::idle::{Alarm, Places};
use super::journal::Journal;
use super::protocol::{Budget, Hello, Limits, MAX_FRAME, MAX_HELLO, PATIENCE, Welcome, frame, receive, send};
use super::socket::{self, Only};
use super::wipe;
use crate::crypto::KdfPolicy;
use crate::platform::{clock::Clock, paths::VaultPaths};
use crate::service::{
    Answer, ErrorKind, LocalService, Lock, LockReason, Need, Request, Service, ServiceError, ServiceOptions,
};
use std::{
    convert::Infallible,
    os::unix::net::{UnixListener, UnixStream},
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// How many connections are served at once; more wait in the socket's queue.
const WORKERS: usize = 32;
/// How many workers wait for a connection when there is none.
const SPARE: usize = 2;
/// Room for what a request takes in a debug build too; only what is used is ever backed by memory.
const STACK: usize = 4 << 20;
const ABANDONED: &str = "its socket or vault is gone";
/// What all half-received requests together may take: one of the longest and many ordinary ones.
static BUDGET: Budget = Budget::new(MAX_FRAME + (32 << 20));

/// What an agent is made of.
pub struct Serve {
    /// The vault.
    pub paths: VaultPaths,
    /// What sealing an identity costs.
    pub kdf: KdfPolicy,
    /// Lock after this long without activity.
    pub idle_lock: Option<Duration>,
    /// Lock after this long in any case.
    pub max_unlocked: Option<Duration>,
    /// Refuse to read a value when that cannot be written into the read log.
    pub audit_required: bool,
    /// End after this long without a request while locked.
    pub quit_after: Duration,
    /// Wall clock and boot clock.
    pub clock: Arc<dyn Clock>,
}

/// Everything that the threads share.
struct Agent {
    service: LocalService,
    paths: VaultPaths,
    clock: Arc<dyn Clock>,
    quit_after: Duration,
    journal: Journal,
    alarm: Alarm,
    /// The socket as it was bound, to see whether it still is ours.
    socket: Option<(u64, u64)>,
    /// Time since boot of the last request, in milliseconds.
    asked_at: AtomicU64,
    /// Some client's settings say that readings must be written down.
    audited: AtomicBool,
    seen: Mutex<Seen>,
    workers: Workers,
}

/// What was last written into the log, and when the alarm rings.
#[derive(Default)]
struct Seen {
    open: bool,
    closed: u64,
    rings_at: Option<Duration>,
}

/// Serves until it is stopped, which ends the process. Comes back only if it could not begin: [`AgentError::Taken`] if
/// another agent serves this vault, or what is wrong with the place. `ready` is called once when clients can connect.
pub fn serve(options: Serve, ready: impl FnOnce()) -> AgentError {
    match begin(options, ready) {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

fn begin(options: Serve, ready: impl FnOnce()) -> Result<Infallible, AgentError> {
    let only = Only::take(&options.paths)?;
    let mut signals = signal_hook::iterator::Signals::new([
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGHUP,
    ])
    .map_err(AgentError::Broken)?;
    let listener = socket::listen(&options.paths, &only)?;
    let agent = Arc::new(Agent::new(options)?);
    agent.journal.note(&format!("start pid={} version={}", std::process::id(), super::protocol::VERSION));
    let watched = Arc::clone(&agent);
    let spawned = thread("signals", move || {
        if let Some(signal) = signals.forever().next() {
            watched.end(&format!("signal {signal}"));
        }
    });
    spawned.map_err(AgentError::Broken)?;
    if let Some(places) = Places::of(&agent.paths) {
        let watched = Arc::clone(&agent);
        let look = move || {
            while places.wait() {
                if watched.is_abandoned() || !watched.paths.identity().exists() {
                    watched.end(ABANDONED);
                }
            }
        };
        thread("places", look).map_err(AgentError::Broken)?;
    }
    let watched = Arc::clone(&agent);
    thread("alarm", move || watched.watch()).map_err(AgentError::Broken)?;
    ready();
    let listener = Arc::new(listener);
    loop {
        agent.work(&listener, true); // it stays, and `only` with it
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(work).map(drop)
}

/// What may be asked of an agent: what an unlocked vault answers, and what opens, closes and describes it. Everything else
/// replaces a vault or answers with a recovery key, and is done by the asking process.
pub fn carries(request: &Request) -> bool {
    match request {
        Request::Status(_) | Request::Unlock(_) | Request::Lock(_) | Request::ChangePassphrase(_) => true,
        other => other.need() != Need::Nothing,
    }
}

impl Agent {
    fn new(options: Serve) -> Result<Self, AgentError> {
        let service = LocalService::new(ServiceOptions {
            paths: options.paths.clone(),
            kdf: options.kdf,
            idle_lock: options.idle_lock,
            clock: Arc::clone(&options.clock),
            demo: false,
            audit_required: options.audit_required,
        });
        let agent = Self {
            service: service.max_unlocked(options.max_unlocked),
            socket: socket::inode(&socket::socket_path(&options.paths)),
            journal: Journal::new(&options.paths.state, Arc::clone(&options.clock)),
            paths: options.paths,
            clock: options.clock,
            quit_after: options.quit_after,
            alarm: Alarm::new().map_err(AgentError::Broken)?,
            asked_at: AtomicU64::new(0),
            audited: AtomicBool::new(options.audit_required),
            seen: Mutex::default(),
            workers: Workers::default(),
        };
        agent.asked();
        Ok(agent)
    }

    fn asked(&self) {
        let now = u64::try_from(self.clock.since_boot().as_millis()).unwrap_or(u64::MAX);
        self.asked_at.store(now, Ordering::Release);
    }

    /// One worker: takes the next connection, sees that somebody else waits for the one after it, and serves it. Waiting
    /// workers spare a client the making of a thread. `stays` is for the first one, which holds the lock.
    fn work(self: &Arc<Self>, listener: &Arc<UnixListener>, stays: bool) {
        loop {
            self.workers.change(|crew| crew.waiting += 1);
            let accepted = listener.accept();
            let grow = self.workers.change(|crew| {
                crew.waiting -= 1;
                let grow = crew.waiting == 0 && crew.all < WORKERS;
                crew.all += usize::from(grow);
                grow
            });
            if grow {
                let (agent, listener) = (Arc::clone(self), Arc::clone(listener));
                if thread("requests", move || agent.work(&listener, false)).is_err() {
                    self.workers.change(|crew| crew.all -= 1);
                }
            }
            if self.is_abandoned() {
                self.end(ABANDONED);
            }
            match accepted {
                Ok((stream, _)) if socket::is_us(&stream).unwrap_or(false) => {
                    // A bug in one request must not take the worker with it; what it held is dropped and wiped.
                    let _ = std::panic::catch_unwind(AssertUnwindSafe(|| self.converse(&stream)));
                }
                Ok(_) => self.journal.note("refused a process of another user"),
                Err(_) => std::thread::sleep(Duration::from_millis(50)), // out of descriptors: others must end first
            }
            let superfluous = !stays
                && self.workers.change(|crew| {
                    let leave = crew.waiting >= SPARE;
                    crew.all -= usize::from(leave);
                    leave
                });
            if superfluous {
                return;
            }
        }
    }

    /// Nobody can reach us any more, or there is nothing to serve.
    fn is_abandoned(&self) -> bool {
        socket::inode(&socket::socket_path(&self.paths)) != self.socket || !self.paths.data.is_dir()
    }

    /// One connection: the handshake, then one request after the other until the client has no more.
    fn converse(&self, stream: &UnixStream) {
        let Ok(Some(hello)) = receive(stream, MAX_HELLO, PATIENCE, None) else { return };
        let Some(hello) = Hello::parse(&hello) else { return };
        let welcome = Welcome::new(&self.paths.data);
        let Ok(greeting) = frame(&welcome) else { return };
        if hello.stop {
            self.lock();
            let _ = send(stream, &greeting); // it may not wait for it
            self.end("asked to");
        }
        let fits = (&hello.version, hello.protocol, &hello.vault)
            == (&welcome.version, welcome.protocol, &welcome.vault);
        if send(stream, &greeting).is_err() || !fits {
            return;
        }
        if hello.limits.is_some_and(|limits| limits.audit_required) && !self.audited.load(Ordering::Acquire) {
            self.service.require_records(true);
            self.audited.store(true, Ordering::Release);
        }
        while let Ok(Some(bytes)) = receive(stream, MAX_FRAME, PATIENCE, Some(&BUDGET)) {
            let request = serde_json::from_slice::<Request>(&bytes);
            drop(bytes);
            let wipe = request.as_ref().map_or(true, wipe::is_needed_after); // who knows what else it was
            let sent = match request {
                Ok(request) => self.reply(stream, request, hello.limits),
                Err(_) => {
                    let error =
                        ServiceError::new(ErrorKind::Failure, "the agent does not understand this request");
                    let answer: Result<Answer, _> = Err(error.hint("sealbox agent stop, then try again"));
                    frame(&answer).is_ok_and(|whole| send(stream, &whole).is_ok())
                }
            };
            if wipe {
                wipe::stack();
            }
            if !sent {
                return;
            }
        }
    }

    /// Answers one request. False if the client is gone.
    #[inline(never)]
    fn reply(&self, stream: &UnixStream, request: Request, limits: Option<Limits>) -> bool {
        self.asked();
        let opens = matches!(request, Request::Unlock(_));
        let answer = if carries(&request) {
            self.service.handle(request)
        } else {
            Err(ServiceError::new(ErrorKind::Usage, "the agent does not do this").hint("add --no-agent"))
        };
        if let (true, Ok(_), Some(limits)) = (opens, &answer, limits) {
            self.keep_by(limits); // whoever knows the passphrase says how it is kept
        }
        self.look();
        let whole = frame(&answer).or_else(|_| {
            let limit = MAX_FRAME >> 20;
            let error = format!("the answer has more than {limit} MiB, which the agent does not pass on");
            frame(&Err::<Answer, _>(ServiceError::new(ErrorKind::Failure, error).hint("add --no-agent")))
        });
        drop(answer);
        whole.is_ok_and(|whole| send(stream, &whole).is_ok())
    }

    fn keep_by(&self, limits: Limits) {
        let time = |ms: Option<u64>| ms.map(Duration::from_millis);
        self.service.set_limits(time(limits.idle_ms), time(limits.max_ms));
        self.service.require_records(limits.audit_required);
        self.audited.store(limits.audit_required, Ordering::Release);
    }

    fn lock(&self) {
        let _ = self.service.handle(Request::Lock(Lock {})); // cannot fail
        self.look();
    }

    /// Locks what is due, writes into the log what changed, and sets the alarm if it would ring too late. Says whether the
    /// vault is open.
    fn look(&self) -> bool {
        let standing = self.service.standing();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.closed > seen.closed {
            let why = standing.reason.unwrap_or(LockReason::Asked).token();
            self.journal.note(&format!("lock reason={why}"));
        }
        if standing.open && (!seen.open || standing.closed > seen.closed) {
            self.journal.note("unlock");
        }
        (seen.open, seen.closed) = (standing.open, standing.closed);
        if let Some(at) = standing.locks_at
            && seen.rings_at.is_none_or(|set| at < set)
        {
            seen.rings_at = Some(at);
            self.alarm.set(Some(at));
        }
        standing.open
    }

    /// Wipes at the deadline without being asked, and ends an agent that nobody needs.
    fn watch(&self) {
        loop {
            let open = self.look();
            if self.is_abandoned() {
                self.end(ABANDONED);
            }
            let quiet_until =
                Duration::from_millis(self.asked_at.load(Ordering::Acquire)).saturating_add(self.quit_after);
            if !open && self.clock.since_boot() >= quiet_until {
                self.end("nobody asked for anything");
            }
            self.wind(quiet_until);
            self.alarm.wait();
        }
    }

    /// Sets the alarm to what comes next. Where the vault stands is asked with `seen` held: an unlock that comes in between
    /// has set the alarm to its own deadline, and that must not be put off.
    fn wind(&self, quiet_until: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = self.service.standing();
        let next = if standing.open { standing.locks_at } else { Some(quiet_until) };
        seen.rings_at = next;
        self.alarm.set(next);
    }

    /// Wipes, takes the socket away and ends the process.
    fn end(&self, why: &str) -> ! {
        self.lock();
        self.journal.note(&format!("stop: {why}"));
        let path = socket::socket_path(&self.paths);
        if socket::inode(&path) == self.socket {
            let _ = std::fs::remove_file(path); // the next agent replaces it otherwise
        }
        std::process::exit(0)
    }
}

/// How many workers there are, and how many of them wait for a connection.
#[derive(Default)]
struct Workers(Mutex<Crew>);

struct Crew {
    all: usize,
    waiting: usize,
}

impl Default for Crew {
    fn default() -> Self {
        Self { all: 1, waiting: 0 } // the first thread of the process
    }
}

impl Workers {
    fn change<T>(&self, work: impl FnOnce(&mut Crew) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

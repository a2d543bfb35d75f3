//! The one loop: terminal events, signals, answers, and a timer that exists only while something is timed.
//!
//! Everything that is queued is taken before one frame is drawn, and only if something changed. Slow work runs on
//! blocking threads and comes home through a channel.

use super::effects::{Done, Outside, Slow};
use super::keymap::{Keymap, Press};
use super::lean::Lean;
use super::model::{Model, Timing};
use super::msg::{Effect, Msg, Now};
use super::terminal::{Guard, Out};
use super::theme::{Theme, ThemeName, utf8_locale};
use super::{TuiError, TuiOptions, clipboard, update, view};
use crate::config::settings;
use crate::platform::clock::Clock;
use crate::service::Service;
use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::Stream;
use ratatui::Terminal;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::Zeroizing;

/// Opens the TUI on the terminal and stays until the user leaves.
///
/// # Errors
/// [`TuiError::Keys`] if `[keys]` in the settings cannot be used; [`TuiError::Io`] if the terminal fails.
pub fn run(service: Arc<dyn Service>, options: TuiOptions) -> Result<(), TuiError> {
    let keymap = Keymap::new(&options.settings.keys).map_err(TuiError::Keys)?;
    let env = |name: &str| std::env::var_os(name);
    let setting = match options.settings.theme {
        settings::Theme::Auto => "auto",
        settings::Theme::Dark => "dark",
        settings::Theme::Light => "light",
        settings::Theme::Sixteen => "sixteen",
        settings::Theme::None => "none",
    };
    let name = ThemeName::choose(setting, options.no_color, &env);
    let theme = Theme::named(name, utf8_locale(&env));
    let over_ssh = env("SSH_CONNECTION").is_some() || env("SSH_TTY").is_some();
    let hide_ms =
        options.settings.reveal_hide_after.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let now = read(options.now.as_ref());
    let size = crossterm::terminal::size().unwrap_or((80, 24));
    let mut model = Model::new(keymap, Timing { hide_ms }, options.scope, size, now);
    model.registered = Arc::new(options.registered);
    let copier = clipboard::real(&options.settings);
    let outside = Outside { service: Arc::clone(&service), copier };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(8).build()?;
    let mouse = options.settings.mouse && !over_ssh;
    let result = runtime.block_on(Loop::open(model, theme, outside, options.now, mouse, name)?.turn());
    // A write that is under way is let finish; nothing else is worth waiting for.
    runtime.shutdown_timeout(Duration::from_secs(5));
    service.leave();
    result
}

fn read(clock: &dyn Clock) -> Now {
    Now { wall: clock.wall_ms(), mono: u64::try_from(clock.since_boot().as_millis()).unwrap_or(u64::MAX) }
}

struct Loop {
    model: Model,
    theme: Theme,
    outside: Outside,
    clock: Arc<dyn Clock>,
    terminal: Terminal<Lean<Out>>,
    home: UnboundedSender<Done>,
    answers: Option<UnboundedReceiver<Done>>,
    guard: Guard,
    running: bool,
}

/// The signals that matter to a program with a screen.
struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    stop: Signal,
    resume: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        let raw = |signal: rustix::process::Signal| SignalKind::from_raw(signal.as_raw());
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(raw(rustix::process::Signal::TSTP))?,
            resume: signal(raw(rustix::process::Signal::CONT))?,
        })
    }
}

/// One thing to react to.
enum Happened {
    Event(Event),
    Closed,
    Answer(Box<Done>),
    Leave,
    Stop,
    Resume,
    Timer,
}

impl Loop {
    fn open(
        model: Model,
        theme: Theme,
        outside: Outside,
        clock: Arc<dyn Clock>,
        mouse: bool,
        look: ThemeName,
    ) -> Result<Self, TuiError> {
        let guard = Guard::take(mouse)?;
        let terminal = Terminal::new(Lean::new(Out::new()?, look != ThemeName::None))?;
        let (home, answers) = unbounded_channel();
        Ok(Self {
            model,
            theme,
            outside,
            clock,
            terminal,
            home,
            answers: Some(answers),
            guard,
            running: true,
        })
    }

    async fn turn(mut self) -> Result<(), TuiError> {
        let mut signals = Signals::new()?;
        let mut events = EventStream::new();
        let Some(mut answers) = self.answers.take() else { return Ok(()) };
        let effects = update::start(&mut self.model);
        self.carry_out(effects)?;
        while self.running {
            self.draw()?;
            let due = update::next_due(&self.model);
            let wait = due
                .map(|due| Duration::from_millis(due.saturating_sub(read(self.clock.as_ref()).mono).max(1)));
            let happened = tokio::select! {
                event = next(&mut events) => event.map_or(Happened::Closed, Happened::Event),
                Some(done) = answers.recv() => Happened::Answer(Box::new(done)),
                _ = signals.terminate.recv() => Happened::Leave,
                _ = signals.hangup.recv() => Happened::Leave,
                _ = signals.interrupt.recv() => Happened::Leave,
                _ = signals.stop.recv() => Happened::Stop,
                _ = signals.resume.recv() => Happened::Resume,
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => Happened::Timer,
            };
            self.react(happened)?;
            while let Some(event) = queued(&mut events).await {
                self.react(Happened::Event(event))?;
            }
            while let Ok(done) = answers.try_recv() {
                self.react(Happened::Answer(Box::new(done)))?;
            }
        }
        self.blank();
        self.guard.leave()?;
        Ok(())
    }

    fn react(&mut self, happened: Happened) -> Result<(), TuiError> {
        let msg = match happened {
            Happened::Event(event) => match translate(event) {
                Some(msg) => msg,
                None => return Ok(()),
            },
            Happened::Answer(done) => {
                if !done.terminal.is_empty() {
                    self.terminal.backend_mut().pass(&done.terminal)?;
                }
                done.msg
            }
            Happened::Timer => Msg::Tick,
            Happened::Leave | Happened::Closed => {
                self.running = false;
                return Ok(());
            }
            Happened::Stop => {
                let mut effects = Vec::new();
                update::veil(&mut self.model, &mut effects);
                self.carry_out(effects)?;
                return self.suspend();
            }
            Happened::Resume => {
                self.guard.enter()?;
                self.terminal.clear()?;
                self.model.dirty = true;
                return Ok(());
            }
        };
        panic_if_told(&msg);
        let now = read(self.clock.as_ref());
        let effects = update::update(&mut self.model, now, msg);
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), TuiError> {
        for effect in effects {
            match Slow::of(effect) {
                Ok(slow) => {
                    let (outside, home, lost) = (self.outside.clone(), self.home.clone(), slow.lost());
                    let work = tokio::task::spawn_blocking(move || slow.run(&outside));
                    tokio::spawn(async move {
                        let empty = Zeroizing::new(Vec::new());
                        let done = work.await.unwrap_or(Done { msg: lost, terminal: empty });
                        let _ = home.send(done); // the loop has ended: nobody waits for it
                    });
                }
                Err(Effect::Suspend) => self.suspend()?,
                Err(Effect::Redraw) => self.terminal.clear()?,
                Err(_) => self.running = false,
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        if std::mem::take(&mut self.model.dirty) {
            self.terminal.draw(|frame| view::view(&self.model, &self.theme, frame))?;
        }
        Ok(())
    }

    /// A frame without anything, so that what was shown is overwritten before the screen is given back.
    fn blank(&mut self) {
        let _ = self.terminal.draw(|_| {});
    }

    /// Back to the shell, as Ctrl-Z is expected to; returns when the shell wakes us.
    fn suspend(&mut self) -> Result<(), TuiError> {
        self.blank();
        self.guard.leave()?;
        // The default action of TSTP is taken over by our handler: stop for real, with everybody in this job.
        let stopped = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
        self.guard.enter()?;
        stopped.map_err(std::io::Error::from)?;
        self.terminal.clear()?;
        self.model.dirty = true;
        Ok(())
    }
}

/// Debug builds panic on F12 if `SEALBOX_PANIC_ON_F12` is set, so that a test can look at the terminal afterwards.
#[allow(clippy::panic, reason = "it is there to panic, in debug builds, when a test says so")]
fn panic_if_told(msg: &Msg) {
    let told = cfg!(debug_assertions) && std::env::var_os("SEALBOX_PANIC_ON_F12").is_some();
    if told && matches!(msg, Msg::Key(press) if press.code == crossterm::event::KeyCode::F(12)) {
        std::panic::panic_any("CANARY-in-a-panic");
    }
}

/// The next event; `None` if the terminal is gone.
async fn next(events: &mut EventStream) -> Option<Event> {
    std::future::poll_fn(|context| match Pin::new(&mut *events).poll_next(context) {
        Poll::Ready(Some(Ok(event))) => Poll::Ready(Some(event)),
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// An event that is here already. It polls with the task's own waker: the stream remembers the first one that it gets.
async fn queued(events: &mut EventStream) -> Option<Event> {
    std::future::poll_fn(|context| match Pin::new(&mut *events).poll_next(context) {
        Poll::Ready(Some(Ok(event))) => Poll::Ready(Some(event)),
        _ => Poll::Ready(None),
    })
    .await
}

fn translate(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(Press::from_event(key))),
        Event::Paste(text) => Some(Msg::Paste(Zeroizing::new(text))),
        Event::Resize(columns, rows) => Some(Msg::Resize(columns, rows)),
        Event::FocusLost => Some(Msg::FocusLost),
        Event::FocusGained => Some(Msg::FocusGained),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(Msg::Wheel(-3)),
            MouseEventKind::ScrollDown => Some(Msg::Wheel(3)),
            MouseEventKind::Down(MouseButton::Left) => Some(Msg::Click(mouse.column, mouse.row)),
            _ => None,
        },
        Event::Key(_) => None,
    }
}

//! `tui`: opens the terminal UI.

use crate::{
    cli::{
        args::ScopedOnly,
        context::{Context, clock},
        registered,
        stop::{Stop, usage, wrap},
    },
    config::Settings,
    domain::ScopeRef,
    platform::clock::Clock,
    scan::places::Registered,
    service::{ErrorKind, Service, ServiceError},
    tui::{self, TuiError, TuiOptions},
};
use std::sync::Arc;

pub(crate) const EXAMPLES: &str = "\
Examples:
  sealbox                                          the same
  sealbox tui -p billing                           begin with this project";

pub(crate) fn run(context: &mut Context, args: ScopedOnly) -> Result<(), Stop> {
    if !context.out().fully_interactive() {
        return Err(usage("the terminal UI needs a terminal").hint("sealbox help").into());
    }
    let scope = context.named_scope(&args.scope)?;
    let settings = context.settings()?;
    let front = context.new_front(settings.lock_idle, settings.lock_max)?;
    front.by_a_person();
    front.warm_up();
    open(context, front, scope, None)
}

/// Opens the TUI on a service; shared with `demo`, which brings its own clock.
pub(crate) fn open(
    context: &Context,
    service: Arc<dyn Service>,
    scope: Option<ScopeRef>,
    demo: Option<Arc<dyn Clock>>,
) -> Result<(), Stop> {
    let settings = match (context.settings(), &demo) {
        (Ok(settings), _) => settings,
        (Err(_), Some(_)) => Settings::default(), // a demo runs without a HOME too
        (Err(error), None) => return Err(error.into()),
    };
    let options = TuiOptions {
        settings,
        scope,
        no_color: context.out().wants_no_color(),
        demo: demo.is_some(),
        // a demo has nothing to do with the folder it was started in
        registered: if demo.is_some() { Registered::default() } else { registered::folders(context) },
        now: demo.unwrap_or_else(clock),
    };
    tui::run(service, options).map_err(|error| failed(&error).into())
}

/// The TUI's own errors: the terminal went away, or cannot do what is needed.
pub(crate) fn failed(error: &TuiError) -> ServiceError {
    wrap(ErrorKind::Failure, error)
}

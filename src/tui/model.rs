//! Everything that the screen knows. Changed by `update` only; `view` reads it.
//!
//! Holds no key and, apart from panels on the stack, no value; when the vault locks, panels and lists are dropped.

use super::keymap::Keymap;
use super::layout;
use super::listing::Listing;
use super::msg::{Now, Ticket};
use super::panel::{Layer, Tone};
use crate::domain::{ProjectName, Role, ScopeRef, SecretMeta, SecretName};
use crate::scan::places::Registered;
use crate::service::{History, LogEvent, MemberInfo, ScopeInfo, ServiceError, StatusReport, VaultState};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The tabs, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Organization,
    Project,
    Members,
    Log,
}

impl Tab {
    pub(crate) const ALL: [Self; 4] = [Self::Organization, Self::Project, Self::Members, Self::Log];
}

/// The secrets of one scope.
pub(crate) struct Secrets {
    pub scope: Option<ScopeRef>,
    pub role: Option<Role>,
    /// Sorted by name, as the service answers it.
    pub list: Vec<SecretMeta>,
    pub quarantined: usize,
    pub listing: Listing,
    pub newest_first: bool,
    /// Some secret of the list has a rotation interval.
    pub rotates: bool,
    pub marked: BTreeSet<SecretName>,
    /// Names that others changed, and until when that is shown.
    pub fresh: BTreeMap<SecretName, u64>,
    pub loaded: bool,
    pub error: Option<ServiceError>,
}

impl Secrets {
    pub(crate) fn new(scope: Option<ScopeRef>) -> Self {
        Self {
            scope,
            role: None,
            list: Vec::new(),
            quarantined: 0,
            listing: Listing::new(),
            newest_first: false,
            rotates: false,
            marked: BTreeSet::new(),
            fresh: BTreeMap::new(),
            loaded: false,
            error: None,
        }
    }

    pub(crate) fn current(&self) -> Option<&SecretMeta> {
        self.listing.current().and_then(|index| self.list.get(index))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&SecretMeta> {
        let index = self.list.binary_search_by(|meta| meta.name.as_str().cmp(name)).ok()?;
        self.list.get(index)
    }

    /// Indices in the order of the screen when nothing is typed.
    pub(crate) fn order(list: &[SecretMeta], newest_first: bool) -> Vec<u32> {
        let mut order: Vec<u32> = (0..u32::try_from(list.len()).unwrap_or(u32::MAX)).collect();
        if newest_first {
            order.sort_by_key(|index| {
                std::cmp::Reverse(list.get(*index as usize).map_or(0, |meta| meta.updated_ms))
            });
        }
        order
    }

    /// Ranks again from the whole list.
    pub(crate) fn rebuild(&mut self, page: usize) {
        self.rotates = self.list.iter().any(|meta| meta.rotate_every_s.is_some());
        let (list, order) = (&self.list, Self::order(&self.list, self.newest_first));
        self.listing.rebuild(
            |index| list.get(index as usize).map_or("", |meta| meta.name.as_str()),
            order,
            page,
        );
    }

    /// Ranks again after the query changed.
    pub(crate) fn refine(&mut self, page: usize) {
        let (list, newest_first) = (&self.list, self.newest_first);
        self.listing.refine(
            |index| list.get(index as usize).map_or("", |meta| meta.name.as_str()),
            || Self::order(list, newest_first),
            !newest_first,
            page,
        );
    }

    /// Puts the cursor on a name, if it is on the screen's list.
    pub(crate) fn select(&mut self, name: &SecretName, page: usize) {
        let place = self
            .listing
            .hits
            .iter()
            .position(|index| self.list.get(*index as usize).is_some_and(|meta| meta.name == *name));
        if let Some(at) = place {
            self.listing.scroll.at = at;
            self.listing.scroll.fit(self.listing.hits.len(), page);
        }
    }
}

/// The members or the log of one scope.
pub(crate) struct Rows<T> {
    pub scope: Option<ScopeRef>,
    pub list: Vec<T>,
    /// What the filter looks at, one text per row, safe to show.
    pub words: Vec<String>,
    pub listing: Listing,
    pub loaded: bool,
    pub error: Option<ServiceError>,
}

impl<T> Rows<T> {
    pub(crate) fn new() -> Self {
        Self {
            scope: None,
            list: Vec::new(),
            words: Vec::new(),
            listing: Listing::new(),
            loaded: false,
            error: None,
        }
    }

    pub(crate) fn current(&self) -> Option<&T> {
        self.listing.current().and_then(|index| self.list.get(index))
    }

    /// Takes what the service answered for `scope`: the rows, a fault, or (`None`) nothing that belongs here.
    pub(crate) fn receive(
        &mut self,
        scope: ScopeRef,
        answer: Result<Option<Vec<T>>, ServiceError>,
        words: impl Fn(&T) -> String,
        page: usize,
    ) {
        let same = self.scope.as_ref() == Some(&scope);
        self.scope = Some(scope);
        self.loaded = true;
        match answer {
            Ok(Some(list)) => {
                self.error = None;
                self.words = list.iter().map(words).collect();
                self.list = list;
            }
            Ok(None) => {}
            Err(error) => {
                self.list.clear();
                self.words.clear();
                self.error = Some(error);
            }
        }
        if !same {
            self.listing.scroll = Default::default();
        }
        self.rebuild(page);
    }

    pub(crate) fn rebuild(&mut self, page: usize) {
        let words = &self.words;
        let order = (0..u32::try_from(words.len()).unwrap_or(u32::MAX)).collect();
        self.listing.rebuild(|index| words.get(index as usize).map_or("", String::as_str), order, page);
    }

    pub(crate) fn refine(&mut self, page: usize) {
        let words = &self.words;
        let len = u32::try_from(words.len()).unwrap_or(u32::MAX);
        self.listing.refine(
            |index| words.get(index as usize).map_or("", String::as_str),
            || (0..len).collect(),
            true,
            page,
        );
    }
}

/// The tabs and what they show.
pub(crate) struct Browser {
    pub tab: Tab,
    pub scopes: Vec<ScopeInfo>,
    pub scopes_loaded: bool,
    /// The scope that Members and Log speak of: that of the last secrets tab.
    pub place: ScopeRef,
    pub organization: Secrets,
    pub project: Secrets,
    pub members: Rows<MemberInfo>,
    pub log: Rows<LogEvent>,
    /// History of the row on which the cursor rests, for the detail pane.
    pub history: Option<(ScopeRef, SecretName, History)>,
    /// When the cursor has rested long enough to ask for it.
    pub rest_at: Option<u64>,
    /// Name to select when the list comes.
    pub select: Option<SecretName>,
}

impl Browser {
    pub(crate) fn new(scope: Option<&ScopeRef>) -> Self {
        let place = scope.cloned().unwrap_or(ScopeRef::Organization);
        let project = match &place {
            ScopeRef::Project(_) => Some(place.clone()),
            ScopeRef::Organization => None,
        };
        Self {
            tab: if project.is_some() { Tab::Project } else { Tab::Organization },
            scopes: Vec::new(),
            scopes_loaded: false,
            place,
            organization: Secrets::new(Some(ScopeRef::Organization)),
            project: Secrets::new(project),
            members: Rows::new(),
            log: Rows::new(),
            history: None,
            rest_at: None,
            select: None,
        }
    }

    /// The secrets of the current place.
    pub(crate) fn secrets(&self) -> &Secrets {
        match self.place {
            ScopeRef::Organization => &self.organization,
            ScopeRef::Project(_) => &self.project,
        }
    }

    pub(crate) fn secrets_mut(&mut self) -> &mut Secrets {
        match self.place {
            ScopeRef::Organization => &mut self.organization,
            ScopeRef::Project(_) => &mut self.project,
        }
    }

    /// The list of the current tab.
    pub(crate) fn listing(&self) -> &Listing {
        match self.tab {
            Tab::Organization => &self.organization.listing,
            Tab::Project => &self.project.listing,
            Tab::Members => &self.members.listing,
            Tab::Log => &self.log.listing,
        }
    }

    pub(crate) fn listing_mut(&mut self) -> &mut Listing {
        match self.tab {
            Tab::Organization => &mut self.organization.listing,
            Tab::Project => &mut self.project.listing,
            Tab::Members => &mut self.members.listing,
            Tab::Log => &mut self.log.listing,
        }
    }

    pub(crate) fn on_secrets(&self) -> bool {
        matches!(self.tab, Tab::Organization | Tab::Project)
    }

    pub(crate) fn scope_info(&self, scope: &ScopeRef) -> Option<&ScopeInfo> {
        self.scopes.iter().find(|info| info.scope == *scope)
    }

    /// The chosen project.
    pub(crate) fn project_name(&self) -> Option<&ProjectName> {
        match &self.project.scope {
            Some(ScopeRef::Project(name)) => Some(name),
            _ => None,
        }
    }
}

/// What waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    Panel(u32),
    Status,
    Scopes,
    Secrets(ScopeRef),
    Members(ScopeRef),
    Log(ScopeRef),
    Rest(ScopeRef, SecretName),
    /// The value is on its way to the clipboard.
    Copy(SecretName),
    CopyText,
    Touch,
    Lock,
}

impl Owner {
    /// A newer question of the same kind makes the older one stale.
    pub(crate) fn supersedes(&self, older: &Self) -> bool {
        !matches!(self, Self::Panel(_)) && std::mem::discriminant(self) == std::mem::discriminant(older)
    }

    /// True if a person waits for it (and so gets a spinner).
    pub(crate) fn visible(&self) -> bool {
        !matches!(self, Self::Status | Self::Rest(..) | Self::Touch)
    }
}

/// A line at the bottom for a few seconds.
pub(crate) struct Notice {
    pub tone: Tone,
    pub text: String,
    pub until: u64,
}

/// Something of ours on a clipboard; never the value.
pub(crate) struct OnClipboard {
    /// Which copy it was.
    pub ticket: Ticket,
    pub label: String,
    pub place: &'static str,
    /// When it is cleared, milliseconds since boot.
    pub until: u64,
}

/// How long things last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// A revealed value hides after this, in milliseconds; `None` never.
    pub hide_ms: Option<u64>,
}

/// The whole state.
pub(crate) struct Model {
    pub size: (u16, u16),
    pub now: Now,
    pub keymap: Keymap,
    pub timing: Timing,
    pub status: Option<StatusReport>,
    /// When `status` was answered, milliseconds since boot.
    pub status_at: u64,
    /// Counter of changes by others that the lists are up to.
    pub changes_seen: u64,
    pub asked_scope: Option<ScopeRef>,
    pub gate: Option<Layer>,
    pub layers: Vec<Layer>,
    pub next_layer: u32,
    pub browser: Browser,
    pub notice: Option<Notice>,
    pub copied: Option<OnClipboard>,
    pub pending: BTreeMap<Ticket, (Owner, u64)>,
    pub next_ticket: Ticket,
    pub touched_at: u64,
    pub polled_at: u64,
    /// Keys before this instant belong to a paste whose end marker came too early.
    pub paste_until: u64,
    pub focused: bool,
    pub dirty: bool,
    pub leaving: bool,
    /// The folders in which references are looked for.
    pub registered: Arc<Registered>,
    /// The start failed for good: shown instead of everything.
    pub fatal: Option<ServiceError>,
}

impl Model {
    pub(crate) fn new(
        keymap: Keymap,
        timing: Timing,
        scope: Option<ScopeRef>,
        size: (u16, u16),
        now: Now,
    ) -> Self {
        Self {
            size,
            now,
            keymap,
            timing,
            status: None,
            status_at: now.mono,
            changes_seen: 0,
            browser: Browser::new(scope.as_ref()),
            asked_scope: scope,
            gate: None,
            layers: Vec::new(),
            next_layer: 0,
            notice: None,
            copied: None,
            pending: BTreeMap::new(),
            next_ticket: 0,
            touched_at: 0,
            polled_at: now.mono,
            paste_until: 0,
            focused: true,
            dirty: true,
            leaving: false,
            registered: Arc::default(),
            fatal: None,
        }
    }

    pub(crate) fn unlocked(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.state == VaultState::Unlocked) && self.gate.is_none()
    }

    /// The user's role in the current place.
    pub(crate) fn role(&self) -> Option<Role> {
        let secrets = self.browser.secrets();
        secrets.role.or_else(|| self.browser.scope_info(&self.browser.place).map(|info| info.role))
    }

    /// Rows that a list has on this screen.
    pub(crate) fn page(&self) -> usize {
        layout::page(self.size)
    }

    /// Seconds until the idle lock, as far as this side knows.
    pub(crate) fn lock_in_s(&self) -> Option<u64> {
        let left = self.status.as_ref()?.lock_in_s?;
        Some(left.saturating_sub(self.now.mono.saturating_sub(self.status_at) / 1000))
    }

    /// The countdown in its visible granularity.
    pub(crate) fn lock_text(&self) -> Option<String> {
        let left = self.lock_in_s()?;
        Some(if left > 90 { format!("{} min", left.div_ceil(60)) } else { format!("{left} s") })
    }

    /// Seconds until what was copied is cleared.
    pub(crate) fn copied_left_s(&self) -> Option<u64> {
        self.copied.as_ref().map(|copied| copied.until.saturating_sub(self.now.mono).div_ceil(1000))
    }

    /// Since when a person waits for something, if long enough to say so.
    pub(crate) fn waiting(&self) -> Option<u64> {
        let since =
            self.pending.values().filter(|(owner, _)| owner.visible()).map(|(_, since)| *since).min()?;
        (self.now.mono >= since.saturating_add(WAIT_MS)).then_some(since)
    }
}

/// Answers that come sooner than this get no spinner.
pub(crate) const WAIT_MS: u64 = 150;
/// A spinner's step.
pub(crate) const SPIN_MS: u64 = 120;

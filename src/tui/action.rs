//! Everything that a person can ask the screen to do, by name.
//!
//! Owns the list of actions and nothing of how they are carried out. Keys, palette, help and footer all speak of these,
//! so that an action which exists here can be found, remapped and documented.

/// One thing that can be asked for. What it means in detail depends on the tab (`New` on Members admits somebody).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Back,
    Open,
    Filter,
    Sort,
    Mark,
    New,
    Edit,
    Delete,
    Reveal,
    Copy,
    History,
    Rollback,
    Organization,
    Project,
    Members,
    Log,
    NextTab,
    PreviousTab,
    Projects,
    NewProject,
    MyId,
    Join,
    Info,
    Refresh,
    Lock,
    Palette,
    Help,
    Suspend,
    Quit,
}

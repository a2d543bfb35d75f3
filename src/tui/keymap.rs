//! Keys as data: one table ties every action to its default keys, its words and its place in the help.
//!
//! Owns key names and remapping. The footer, the `?` page, the palette and the README's key table are all made from this
//! table, so they cannot disagree. Keys inside text fields are fixed and listed separately: text must stay typeable.

use super::action::Action;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::collections::BTreeMap;

/// A key as pressed, without what terminals disagree about (Shift is in the character already).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Press {
    pub code: KeyCode,
    pub ctrl: bool,
    pub alt: bool,
}

/// Where the help page lists an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Move,
    Secrets,
    Places,
    Program,
}

impl Group {
    pub(crate) const ALL: [Self; 4] = [Self::Secrets, Self::Move, Self::Places, Self::Program];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Move => "Moving",
            Self::Secrets => "Secrets",
            Self::Places => "Places",
            Self::Program => "Program",
        }
    }
}

/// One row of the table.
pub(crate) struct Entry {
    pub action: Action,
    /// Stable name in `[keys]`.
    pub name: &'static str,
    pub keys: &'static [&'static str],
    /// One word for the footer.
    pub label: &'static str,
    /// A phrase for help, palette and README.
    pub help: &'static str,
    pub group: Group,
}

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    group: Group,
) -> Entry {
    Entry { action, name, keys, label, help, group }
}

/// Every action with its default keys.
pub(crate) const TABLE: &[Entry] = &[
    row(Action::New, "new", &["n"], "new", "create a secret; on Members: admit somebody", Group::Secrets),
    row(
        Action::Edit,
        "edit",
        &["e"],
        "edit",
        "write a new value; on Members: change the role",
        Group::Secrets,
    ),
    row(
        Action::Delete,
        "delete",
        &["d"],
        "delete",
        "delete the row or the marked ones; on Members: remove",
        Group::Secrets,
    ),
    row(Action::Reveal, "reveal", &["x"], "reveal", "show the value until it hides itself", Group::Secrets),
    row(Action::Copy, "copy", &["y", "c"], "copy", "copy the value without showing it", Group::Secrets),
    row(
        Action::History,
        "history",
        &["h"],
        "history",
        "versions: look at one, or bring it back",
        Group::Secrets,
    ),
    row(
        Action::Rollback,
        "rollback",
        &["b"],
        "bring back",
        "in the history: make that version current again",
        Group::Secrets,
    ),
    row(Action::Open, "open", &["enter", "l", "right"], "open", "everything about the row", Group::Secrets),
    row(Action::Mark, "mark", &["space"], "mark", "mark the row, to delete several at once", Group::Secrets),
    row(Action::Sort, "sort", &["s"], "sort", "sort by name or by the newest change", Group::Secrets),
    row(Action::Filter, "filter", &["/"], "filter", "narrow the list as you type (fuzzy)", Group::Secrets),
    row(Action::Up, "up", &["up", "k"], "up", "one row up", Group::Move),
    row(Action::Down, "down", &["down", "j"], "down", "one row down", Group::Move),
    row(Action::PageUp, "page-up", &["pgup", "ctrl-u"], "page up", "one page up", Group::Move),
    row(Action::PageDown, "page-down", &["pgdn", "ctrl-d"], "page down", "one page down", Group::Move),
    row(Action::Top, "top", &["g", "home"], "top", "first row", Group::Move),
    row(Action::Bottom, "bottom", &["G", "end"], "bottom", "last row", Group::Move),
    row(
        Action::Organization,
        "organization",
        &["1"],
        "organization",
        "secrets of the organization",
        Group::Places,
    ),
    row(Action::Project, "project", &["2"], "project", "secrets of the chosen project", Group::Places),
    row(Action::Members, "members", &["3"], "members", "who may do what here", Group::Places),
    row(Action::Log, "log", &["4"], "log", "what was changed here, and what was read", Group::Places),
    row(Action::NextTab, "next-tab", &["tab"], "next", "next tab", Group::Places),
    row(Action::PreviousTab, "previous-tab", &["backtab"], "previous", "previous tab", Group::Places),
    row(Action::Projects, "projects", &["p"], "projects", "choose a project", Group::Places),
    row(Action::NewProject, "new-project", &["P"], "new project", "create a project", Group::Places),
    row(Action::MyId, "my-id", &["i"], "my ID", "the ID that an owner needs to admit you", Group::Program),
    row(Action::Join, "join", &["J"], "join", "open what an owner's link admits you to", Group::Program),
    row(Action::Info, "info", &["v"], "vault", "where the vault is, and its warnings", Group::Program),
    row(Action::Refresh, "refresh", &["r"], "refresh", "read the store again", Group::Program),
    row(Action::Lock, "lock", &["ctrl-l"], "lock", "forget the keys now", Group::Program),
    row(Action::Palette, "palette", &[":"], "more", "find any command by its name", Group::Program),
    row(Action::Help, "help", &["?"], "help", "all keys", Group::Program),
    row(Action::Back, "back", &["esc"], "back", "close what is on top; never quits", Group::Program),
    row(
        Action::Suspend,
        "suspend",
        &["ctrl-z"],
        "suspend",
        "back to the shell; `fg` returns",
        Group::Program,
    ),
    row(Action::Quit, "quit", &["q", "ctrl-c"], "quit", "leave (the vault locks)", Group::Program),
];

/// Keys that work while typing; fixed, so that every character stays typeable.
pub(crate) const FIELD_KEYS: &[(&str, &str)] = &[
    ("Tab, Shift-Tab", "next and previous field"),
    ("Enter", "next field; in the last one: save"),
    ("Alt-Enter, Ctrl-j", "a line break inside a value"),
    ("Ctrl-r", "look at what is typed, or mask it again"),
    ("Ctrl-g", "generate a value"),
    ("Ctrl-u, Ctrl-w", "delete to the start, delete a word"),
    ("Esc", "close without saving"),
];

/// The row of an action. Every action is in the table; a test holds it.
pub(crate) fn entry(action: Action) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.action == action)
}

/// The keys in force: the defaults, with the user's replacements.
pub(crate) struct Keymap {
    keys: Vec<(Press, Action)>,
}

impl Keymap {
    /// Replaces the keys of the actions that `overrides` names.
    ///
    /// # Errors
    /// One sentence per unknown action, unreadable key, or key given to two actions.
    pub(crate) fn new(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        for name in overrides.keys() {
            if !TABLE.iter().any(|entry| entry.name == name.as_str()) {
                problems.push(format!("[keys] has no action \"{}\"", crate::domain::printable::line(name)));
            }
        }
        let mut keys: Vec<(Press, Action)> = Vec::new();
        let mut chosen: Vec<(Press, Action)> = Vec::new();
        for entry in TABLE {
            if let Some(list) = overrides.get(entry.name) {
                for text in list {
                    match Press::parse(text) {
                        Some(press) => chosen.push((press, entry.action)),
                        None => problems.push(format!(
                            "[keys] {}: \"{}\" is not a key",
                            entry.name,
                            crate::domain::printable::line(text)
                        )),
                    }
                }
            }
        }
        for (index, (press, action)) in chosen.iter().enumerate() {
            if chosen.iter().take(index).any(|(other, owner)| other == press && owner != action) {
                problems.push(format!("[keys] {} is given to two actions", press.shown()));
            }
        }
        for entry in TABLE.iter().filter(|entry| !overrides.contains_key(entry.name)) {
            keys.extend(
                entry.keys.iter().filter_map(|text| Press::parse(text)).map(|press| (press, entry.action)),
            );
        }
        keys.retain(|(press, _)| !chosen.iter().any(|(taken, _)| taken == press));
        keys.extend(chosen);
        if problems.is_empty() { Ok(Self { keys }) } else { Err(problems) }
    }

    /// The action of a key.
    pub(crate) fn action(&self, press: Press) -> Option<Action> {
        self.keys.iter().find(|(key, _)| *key == press).map(|(_, action)| *action)
    }

    /// The first key of an action, as shown; empty if the user took them all away.
    pub(crate) fn key(&self, action: Action) -> String {
        self.keys.iter().find(|(_, owner)| *owner == action).map(|(key, _)| key.shown()).unwrap_or_default()
    }

    /// All keys of an action, as shown.
    pub(crate) fn all_keys(&self, action: Action) -> String {
        let keys: Vec<String> =
            self.keys.iter().filter(|(_, owner)| *owner == action).map(|(key, _)| key.shown()).collect();
        keys.join(" ")
    }
}

impl Press {
    pub(crate) fn from_event(event: KeyEvent) -> Self {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        Self { code, ctrl, alt: event.modifiers.contains(KeyModifiers::ALT) }
    }

    pub(crate) fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// Reads `x`, `G`, `ctrl-l`, `alt-enter`, `space`, `pgdn`, `f5`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mut ctrl, mut alt, mut rest) = (false, false, text);
        loop {
            if let Some(tail) = rest.strip_prefix("ctrl-").filter(|tail| !tail.is_empty()) {
                (ctrl, rest) = (true, tail);
            } else if let Some(tail) = rest.strip_prefix("alt-").filter(|tail| !tail.is_empty()) {
                (alt, rest) = (true, tail);
            } else {
                break;
            }
        }
        let code = match rest {
            "space" => KeyCode::Char(' '),
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "backtab" | "shift-tab" => KeyCode::BackTab,
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "pgup" => KeyCode::PageUp,
            "pgdn" => KeyCode::PageDown,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "backspace" => KeyCode::Backspace,
            "delete" => KeyCode::Delete,
            "insert" => KeyCode::Insert,
            _ => {
                let mut chars = rest.chars();
                match (chars.next()?, chars.as_str()) {
                    (c, "") if !c.is_control() && !c.is_whitespace() => KeyCode::Char(c),
                    ('f', number) => KeyCode::F(number.parse().ok().filter(|n| (1..=12).contains(n))?),
                    _ => return None,
                }
            }
        };
        Some(Self { code, ctrl, alt })
    }

    /// The key as people read it.
    pub(crate) fn shown(self) -> String {
        let key = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Enter => "Enter".to_owned(),
            KeyCode::Esc => "Esc".to_owned(),
            KeyCode::Tab => "Tab".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::Up => "Up".to_owned(),
            KeyCode::Down => "Down".to_owned(),
            KeyCode::Left => "Left".to_owned(),
            KeyCode::Right => "Right".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::Home => "Home".to_owned(),
            KeyCode::End => "End".to_owned(),
            KeyCode::Backspace => "Backspace".to_owned(),
            KeyCode::Delete => "Del".to_owned(),
            KeyCode::Insert => "Ins".to_owned(),
            KeyCode::F(n) => format!("F{n}"),
            _ => "?".to_owned(),
        };
        format!("{}{}{key}", if self.ctrl { "Ctrl-" } else { "" }, if self.alt { "Alt-" } else { "" })
    }
}

/// The key table of the README, in Markdown: one row per action, then the keys inside text fields.
pub fn markdown() -> String {
    let mut text = String::from("| keys | action | name in `[keys]` |\n|---|---|---|\n");
    for group in Group::ALL {
        for entry in TABLE.iter().filter(|entry| entry.group == group) {
            let keys: Vec<String> = entry
                .keys
                .iter()
                .filter_map(|key| Press::parse(key))
                .map(|press| format!("`{}`", press.shown()))
                .collect();
            text.push_str(&format!("| {} | {} | `{}` |\n", keys.join(" "), entry.help, entry.name));
        }
    }
    text.push_str("\n| while typing | |\n|---|---|\n");
    for (keys, help) in FIELD_KEYS {
        text.push_str(&format!("| {keys} | {help} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Keymap {
        Keymap::new(&BTreeMap::new()).unwrap_or_else(|_| Keymap { keys: Vec::new() })
    }

    #[test]
    fn every_default_key_is_readable_and_belongs_to_one_action() {
        let mut seen: Vec<Press> = Vec::new();
        for entry in TABLE {
            for key in entry.keys {
                let press = Press::parse(key).unwrap_or_else(|| panic!("{key}"));
                assert!(!seen.contains(&press), "{key} is used twice");
                seen.push(press);
            }
        }
    }

    #[test]
    fn an_override_takes_the_key_from_its_former_action() {
        let overrides = BTreeMap::from([("delete".to_owned(), vec!["x".to_owned()])]);
        let keymap = Keymap::new(&overrides).ok().unwrap();
        assert_eq!(keymap.action(Press::parse("x").unwrap()), Some(Action::Delete));
        assert_eq!(keymap.action(Press::parse("d").unwrap()), None);
        assert_eq!(keymap.key(Action::Reveal), "");
    }

    #[test]
    fn a_bad_override_is_named_and_no_control_character_survives() {
        let overrides =
            BTreeMap::from([("fly\u{1b}".to_owned(), vec![]), ("quit".to_owned(), vec!["ctrl-".to_owned()])]);
        let problems = Keymap::new(&overrides).err().unwrap().join("\n");
        assert!(problems.contains("fly^[") && problems.contains("quit: \"ctrl-\""), "{problems}");
    }

    #[test]
    fn keys_print_as_they_are_pressed() {
        let keymap = defaults();
        assert_eq!(keymap.all_keys(Action::Copy), "y c");
        assert_eq!(keymap.key(Action::Lock), "Ctrl-l");
        assert_eq!(keymap.key(Action::Bottom), "G");
    }

    #[test]
    fn the_readme_table_lists_every_action() {
        let table = markdown();
        assert!(TABLE.iter().all(|entry| table.contains(&format!("`{}`", entry.name))));
    }
}
